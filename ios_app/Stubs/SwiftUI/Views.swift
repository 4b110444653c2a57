// SwiftUI: what the app draws with.
@_exported import Combine
@_exported import Foundation
@_exported import UniformTypeIdentifiers

/// swift: https://developer.apple.com/documentation/swiftui/view
@MainActor @preconcurrency
public protocol View {
    associatedtype Body: View
    @ViewBuilder @MainActor @preconcurrency var body: Body { get }
}

/// swift: https://developer.apple.com/documentation/swiftui/view
extension Never: View {
    public var body: Never { fatalError() }
}

/// A view without parts, of these declarations alone.
/// swift: https://developer.apple.com/documentation/swiftui/view
public protocol Leaf: View where Body == Never {}

/// swift: https://developer.apple.com/documentation/swiftui/view
extension Leaf {
    public var body: Never { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/viewbuilder
@resultBuilder
public enum ViewBuilder {
    public static func buildBlock() -> EmptyView { fatalError() }
    public static func buildExpression<Content: View>(_ content: Content) -> Content { content }
    public static func buildBlock<Content: View>(_ content: Content) -> Content { content }
    public static func buildBlock<each Content: View>(
        _ content: repeat each Content
    ) -> TupleView<(repeat each Content)> { fatalError() }
    public static func buildIf<Content: View>(_ content: Content?) -> Content? { content }
    public static func buildEither<A: View, B: View>(first: A) -> _ConditionalContent<A, B> {
        fatalError()
    }
    public static func buildEither<A: View, B: View>(second: B) -> _ConditionalContent<A, B> {
        fatalError()
    }
    public static func buildLimitedAvailability<Content: View>(_ content: Content) -> AnyView {
        fatalError()
    }
}

/// swift: https://developer.apple.com/documentation/swiftui/view
extension Optional: View where Wrapped: View {
    public var body: Never { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/emptyview
public struct EmptyView: Leaf {}

/// swift: https://developer.apple.com/documentation/swiftui/anyview
public struct AnyView: Leaf {}

/// swift: https://developer.apple.com/documentation/swiftui/tupleview
public struct TupleView<T>: Leaf {}

/// swift: https://developer.apple.com/documentation/swiftui/viewbuilder/buildeither(first:)
public struct _ConditionalContent<A, B> {}

/// swift: https://developer.apple.com/documentation/swiftui/viewbuilder/buildeither(first:)
extension _ConditionalContent: View where A: View, B: View {
    public var body: Never { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/text
public struct Text: Leaf, Sendable {
    public init<S: StringProtocol>(_ content: S) { fatalError() }
    public func font(_ font: Font?) -> Text { self }
    public func foregroundStyle<S: ShapeStyle>(_ style: S) -> Text { self }
}

/// swift: https://developer.apple.com/documentation/swiftui/image
public struct Image: Leaf, Sendable {
    public init(systemName: String) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/spacer
public struct Spacer: Leaf {
    public init(minLength: Double? = nil) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/vstack
public struct VStack<Content: View>: Leaf {
    public init(
        alignment: HorizontalAlignment = .center, spacing: Double? = nil,
        @ViewBuilder content: () -> Content
    ) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/hstack
public struct HStack<Content: View>: Leaf {
    public init(
        alignment: VerticalAlignment = .center, spacing: Double? = nil,
        @ViewBuilder content: () -> Content
    ) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/viewthatfits
@available(iOS 16.0, *)
public struct ViewThatFits<Content: View>: Leaf {
    public init(in axes: Axis.Set = [.horizontal, .vertical], @ViewBuilder content: () -> Content) {
        fatalError()
    }
}

/// swift: https://developer.apple.com/documentation/swiftui/list
public struct List<Content: View>: Leaf {
    public init(@ViewBuilder content: () -> Content) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/section
public struct Section<Content: View>: Leaf {
    public init(@ViewBuilder content: () -> Content) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/foreach
public struct ForEach<Data: RandomAccessCollection, ID: Hashable, Content> {
    let content: (Data.Element) -> Content
}

/// swift: https://developer.apple.com/documentation/swiftui/foreach
extension ForEach: View where Content: View {
    public var body: Never { fatalError() }
    public init(
        _ data: Data, id: KeyPath<Data.Element, ID>,
        @ViewBuilder content: @escaping (Data.Element) -> Content
    ) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/foreach
extension ForEach where ID == Data.Element.ID, Content: View, Data.Element: Identifiable {
    public init(_ data: Data, @ViewBuilder content: @escaping (Data.Element) -> Content) {
        fatalError()
    }
}

/// swift: https://developer.apple.com/documentation/swiftui/button
public struct Button<Label: View>: Leaf {
    public init(action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> Label) {
        fatalError()
    }
}

/// swift: https://developer.apple.com/documentation/swiftui/button
extension Button where Label == Text {
    public init<S: StringProtocol>(_ title: S, action: @escaping @MainActor () -> Void) {
        fatalError()
    }
}

/// swift: https://developer.apple.com/documentation/swiftui/textfield
public struct TextField<Label: View>: Leaf {}

/// swift: https://developer.apple.com/documentation/swiftui/textfield
extension TextField where Label == Text {
    public init<S: StringProtocol>(_ title: S, text: Binding<String>) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/progressview
public struct ProgressView: Leaf {
    public init<V: BinaryFloatingPoint>(value: V?, total: V = 1.0) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/sharelink
@available(iOS 16.0, *)
public struct ShareLink<Label: View>: Leaf {
    public init(item: URL, @ViewBuilder label: () -> Label) { fatalError() }
    public init(item: String, @ViewBuilder label: () -> Label) { fatalError() }
}

/// swift: https://developer.apple.com/documentation/swiftui/navigationstack
@available(iOS 16.0, *)
public struct NavigationStack<Root: View>: Leaf {
    public init(@ViewBuilder root: () -> Root) { fatalError() }
    public init<Data>(path: Binding<Data>, @ViewBuilder root: () -> Root)
    where Data: MutableCollection & RandomAccessCollection & RangeReplaceableCollection,
        Data.Element: Hashable { fatalError() }
}
