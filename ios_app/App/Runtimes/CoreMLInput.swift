import BenchCore
import CoreML
import CoreVideo
import Foundation

/// One input of a network, and how Core ML takes it.
struct CoreMLInput {
    let spec: TensorSpec
    private let kind: Kind

    private enum Kind {
        case array(MLMultiArrayDataType)
        case image(width: Int, height: Int)
    }

    init(_ spec: TensorSpec, _ feature: MLFeatureDescription) throws {
        self.spec = spec
        if let image = feature.imageConstraint {
            let (width, height) = (image.pixelsWide, image.pixelsHigh)
            guard spec.shape == [1, 3, height, width] else {
                throw Refused(
                    "The input \(spec) does not fit the image of \(width) x \(height) pixels that "
                        + "the file takes; write the job anew.")
            }
            kind = .image(width: width, height: height)
        } else if let array = feature.multiArrayConstraint {
            kind = .array(array.dataType)
        } else {
            throw Refused(
                "The file takes neither an array nor an image for \(spec.name), so this app "
                    + "cannot feed it.")
        }
    }

    /// Return the bytes of an array of the job as Core ML takes them.
    func feature(_ bytes: [UInt8]) throws -> MLFeatureValue {
        switch kind {
        case .array(let type): MLFeatureValue(multiArray: try array(bytes, type))
        case .image(let width, let height):
            MLFeatureValue(pixelBuffer: try image(bytes, width: width, height: height))
        }
    }

    private func array(_ bytes: [UInt8], _ type: MLMultiArrayDataType) throws -> MLMultiArray {
        let array = try newArray(spec.shape, type)
        let content = try converted(bytes, from: spec.dtype, to: dtype(type))
        // A new array has no gaps.
        array.withUnsafeMutableBytes { target, _ in
            if type == .double {
                for index in 0..<content.count / 4 {
                    let value = number(in: content, at: index, .float32)
                    target.storeBytes(of: value, toByteOffset: 8 * index, as: Double.self)
                }
            } else {
                target.copyBytes(from: content)
            }
        }
        return array
    }

    private func image(_ bytes: [UInt8], width: Int, height: Int) throws -> CVPixelBuffer {
        var made: CVPixelBuffer?
        let attributes = [kCVPixelBufferIOSurfacePropertiesKey as String: [String: Any]()]
        let status = CVPixelBufferCreate(
            kCFAllocatorDefault, width, height, kCVPixelFormatType_32BGRA,
            attributes as CFDictionary, &made)
        guard status == kCVReturnSuccess, let buffer = made else {
            throw ModelFailed("an image for Core ML cannot be made (\(status))")
        }
        CVPixelBufferLockBaseAddress(buffer, [])
        defer { CVPixelBufferUnlockBaseAddress(buffer, []) }
        guard let base = CVPixelBufferGetBaseAddress(buffer) else {
            throw ModelFailed("an image for Core ML has no memory")
        }
        let pixels = converted(bytes, from: spec.dtype, to: .uint8)
        let rows = bgraRows(
            pixels, width: width, height: height, rowBytes: CVPixelBufferGetBytesPerRow(buffer))
        rows.withUnsafeBytes { base.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        return buffer
    }
}
