import BenchCore
import SwiftUI

/// Something that a user has to know, with a sign beside its colour.
struct NoticeView: View {
    let text: String

    var body: some View {
        HStack(alignment: .firstTextBaseline) {
            Image(systemName: "exclamationmark.triangle").accessibilityHidden(true)
            Text(text)
        }
        .font(.subheadline)
        .foregroundStyle(.red)
    }
}

/// A button with the words of an action.
struct ActionButton: View {
    @EnvironmentObject private var model: AppModel
    let action: BenchCore.Action
    let press: () -> Void

    var body: some View {
        Button(model.words.say(action.label), action: press)
            .disabled(!action.enabled)
            .accessibilityLabel(model.words.say(action.description))
    }
}

/// Names and values, which stand one below the other where letters are large.
struct FactsView: View {
    @EnvironmentObject private var model: AppModel
    let facts: [Fact]

    var body: some View {
        ForEach(facts, id: \.self) { fact in
            ViewThatFits(in: .horizontal) {
                HStack {
                    Text(model.words.say(fact.name)).foregroundStyle(.secondary)
                    Spacer()
                    Text(model.words.say(fact.value)).multilineTextAlignment(.trailing)
                }
                VStack(alignment: .leading) {
                    Text(model.words.say(fact.name)).foregroundStyle(.secondary)
                    Text(model.words.say(fact.value))
                }
            }
            .accessibilityElement(children: .combine)
        }
    }
}
