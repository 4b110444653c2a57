// Swift Charts.
import Foundation
import SwiftUI

/// swift: https://developer.apple.com/documentation/charts/chartcontent
@available(iOS 16.0, *)
@MainActor @preconcurrency
public protocol ChartContent {}

/// swift: https://developer.apple.com/documentation/charts/chartcontentbuilder
@available(iOS 16.0, *)
@resultBuilder
public enum ChartContentBuilder {
    public static func buildExpression<Content: ChartContent>(_ content: Content) -> Content {
        content
    }
    public static func buildBlock<Content: ChartContent>(_ content: Content) -> Content { content }
    public static func buildEither<A: ChartContent, B: ChartContent>(
        first: A
    ) -> BuilderConditional<A, B> { fatalError() }
    public static func buildEither<A: ChartContent, B: ChartContent>(
        second: B
    ) -> BuilderConditional<A, B> { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/builderconditional
@available(iOS 16.0, *)
public struct BuilderConditional<A, B> {}

extension BuilderConditional: ChartContent where A: ChartContent, B: ChartContent {}

extension BuilderConditional: AxisContent where A: AxisContent, B: AxisContent {}

/// swift: https://developer.apple.com/documentation/charts/chartcontent
extension ChartContent {
    public func foregroundStyle<S: ShapeStyle>(_ style: S) -> some ChartContent { self }
    public func annotation<C: View>(
        position: AnnotationPosition = .automatic, alignment: Alignment = .center,
        spacing: Double? = nil, @ViewBuilder content: () -> C
    ) -> some ChartContent { self }
}

/// swift: https://developer.apple.com/documentation/charts/annotationposition
@available(iOS 16.0, *)
public struct AnnotationPosition: Sendable {
    public static var automatic: AnnotationPosition { fatalError() }
    public static var top: AnnotationPosition { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/foreach
extension ForEach: ChartContent where Content: ChartContent {
    public init(
        _ data: Data, id: KeyPath<Data.Element, ID>,
        @ChartContentBuilder content: @escaping (Data.Element) -> Content
    ) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/plottable
@available(iOS 16.0, *)
public protocol Plottable {}

extension Double: Plottable {}
extension Int: Plottable {}
extension String: Plottable {}

/// swift: https://developer.apple.com/documentation/charts/plottablevalue
@available(iOS 16.0, *)
public struct PlottableValue<Value: Plottable> {
    public static func value<S: StringProtocol>(
        _ label: S, _ value: Value
    ) -> PlottableValue<Value> { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/chart
@available(iOS 16.0, *)
public struct Chart<Content: ChartContent>: Leaf {
    public init(@ChartContentBuilder content: () -> Content) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/linemark
@available(iOS 16.0, *)
public struct LineMark: ChartContent {
    public init<X: Plottable, Y: Plottable, S: Plottable>(
        x: PlottableValue<X>, y: PlottableValue<Y>, series: PlottableValue<S>
    ) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/pointmark
@available(iOS 16.0, *)
public struct PointMark: ChartContent {
    public init<X: Plottable, Y: Plottable>(x: PlottableValue<X>, y: PlottableValue<Y>) {
        fatalError()
    }
}

/// swift: https://developer.apple.com/documentation/charts/rectanglemark
@available(iOS 16.0, *)
public struct RectangleMark: ChartContent {
    public init<X: Plottable>(
        xStart: PlottableValue<X>, xEnd: PlottableValue<X>, yStart: Double? = nil,
        yEnd: Double? = nil
    ) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/rulemark
@available(iOS 16.0, *)
public struct RuleMark: ChartContent {
    public init<X: Plottable>(
        x: PlottableValue<X>, yStart: Double? = nil, yEnd: Double? = nil
    ) { fatalError() }
    public init<Y: Plottable>(
        xStart: Double? = nil, xEnd: Double? = nil, y: PlottableValue<Y>
    ) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/axiscontent
@available(iOS 16.0, *)
@MainActor @preconcurrency
public protocol AxisContent {}

/// swift: https://developer.apple.com/documentation/charts/axiscontentbuilder
@available(iOS 16.0, *)
@resultBuilder
public enum AxisContentBuilder {
    public static func buildExpression<Content: AxisContent>(_ content: Content) -> Content {
        content
    }
    public static func buildBlock<Content: AxisContent>(_ content: Content) -> Content { content }
    public static func buildEither<A: AxisContent, B: AxisContent>(
        first: A
    ) -> BuilderConditional<A, B> { fatalError() }
    public static func buildEither<A: AxisContent, B: AxisContent>(
        second: B
    ) -> BuilderConditional<A, B> { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/axismark
@available(iOS 16.0, *)
@MainActor @preconcurrency
public protocol AxisMark {}

/// swift: https://developer.apple.com/documentation/charts/axismarkbuilder
@available(iOS 16.0, *)
@resultBuilder
public enum AxisMarkBuilder {
    public static func buildExpression<Content: AxisMark>(_ content: Content) -> Content { content }
    public static func buildBlock<each Content: AxisMark>(
        _ content: repeat each Content
    ) -> AxisMarkGroup { fatalError() }
}

/// What several marks of an axis make.
/// swift: https://developer.apple.com/documentation/charts/axismarkbuilder
public struct AxisMarkGroup: AxisMark {}

/// swift: https://developer.apple.com/documentation/charts/axismarks
@available(iOS 16.0, *)
public struct AxisMarks<Content: AxisMark>: AxisContent {
    public init<Value: Plottable>(
        values: [Value], @AxisMarkBuilder content: @escaping (AxisValue) -> Content
    ) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/axismarks
extension AxisMarks where Content == AxisMarkGroup {
    public init() { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/axisvalue
@available(iOS 16.0, *)
public struct AxisValue {
    public func `as`<P: Plottable>(_ type: P.Type) -> P? { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/axisgridline
@available(iOS 16.0, *)
public struct AxisGridLine: AxisMark {
    public init() { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/axisvaluelabel
@available(iOS 16.0, *)
public struct AxisValueLabel<Content: View>: AxisMark {
    public init(@ViewBuilder content: () -> Content) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/charts/customizing-axes-in-swift-charts
extension View {
    public func chartXScale(domain: ClosedRange<Double>) -> some View { self }
    public func chartYAxis<Content: AxisContent>(
        @AxisContentBuilder content: () -> Content
    ) -> some View { self }
    public func chartLegend(_ visibility: Visibility) -> some View { self }
}

/// swift: https://developer.apple.com/documentation/swiftui/visibility
public enum Visibility: Sendable {
    case automatic, visible, hidden
}
