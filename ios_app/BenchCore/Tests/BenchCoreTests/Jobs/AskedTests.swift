import Testing

@testable import BenchCore

@Suite struct AskedTests {
    private func asked(_ arguments: String...) -> Asked { Asked(["MobileBench"] + arguments) }

    @Test func aLaunchNamesAJobItsKeyAndItsWishes() {
        let asked = asked(
            "--job", "a", "--key", "k", "--fast-prediction", "--infrequent-reshapes",
            "--load-wait", "60")
        #expect(asked.job == "a" && asked.key == "k" && asked.problem == nil)
        #expect(asked.wishes.coreML.fastPrediction && asked.wishes.coreML.infrequentReshapes)
        #expect(asked.wishes.loadWaitS == 60)
        #expect(!asked.plan)
    }

    @Test func argumentsOfTheSystemAreLeftToIt() {
        let asked = asked("-AppleLanguages", "(de)", "-NSDocumentRevisionsDebugMode", "YES")
        #expect(asked.problem == nil && asked.job == nil)
    }

    @Test(arguments: ["0", "-5", "10m", "1e3", "99999999999999999999", ""])
    func aWaitThatIsNoNumberOfSecondsIsNamed(_ text: String) throws {
        let asked = asked("--load-wait", text)
        #expect(try #require(asked.problem).contains("and it is \(text)"))
        #expect(asked.wishes == RunWishes())
    }

    @Test func anArgumentThatIsNotThereIsNamedAndTheFirstOneStays() throws {
        let asked = asked("--fast-predictions", "--job")
        #expect(try #require(asked.problem).contains("no argument --fast-predictions;"))
    }

    @Test func aMissingValueIsNotTheNextArgument() throws {
        let asked = asked("--job", "--key", "k")
        #expect(asked.job == nil && asked.key == "k")
        #expect(try #require(asked.problem).contains("has to follow --job"))
    }
}
