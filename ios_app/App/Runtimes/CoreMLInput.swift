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

    /// Return an array of the job as Core ML takes it.
    func feature(_ array: TensorArray) throws -> MLFeatureValue {
        switch kind {
        case .array(let type): MLFeatureValue(multiArray: try multiArray(array, type))
        case .image(let width, let height):
            MLFeatureValue(pixelBuffer: try image(array, width: width, height: height))
        }
    }

    private func multiArray(
        _ array: TensorArray, _ type: MLMultiArrayDataType
    ) throws -> MLMultiArray {
        let target = try newArray(spec.shape, type)
        let content = array.converted(to: try dtype(type))
        // A new array has no gaps.
        target.withUnsafeMutableBytes { bytes, _ in
            if type == .double {
                for index in 0..<spec.elements {
                    bytes.storeBytes(
                        of: content.number(at: index), toByteOffset: 8 * index, as: Double.self)
                }
            } else {
                bytes.copyBytes(from: content.bytes)
            }
        }
        return target
    }

    private func image(_ array: TensorArray, width: Int, height: Int) throws -> CVPixelBuffer {
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
        let rows = array.bgraRows(rowBytes: CVPixelBufferGetBytesPerRow(buffer))
        UnsafeMutableRawBufferPointer(start: base, count: rows.count).copyBytes(from: rows)
        return buffer
    }
}
