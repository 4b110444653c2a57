import Foundation
import Testing

@testable import BenchCore

@Suite struct DocumentsTests {
    @Test func everySchemaIsOneThatThisReaderKnows() throws {
        for kind in [DocumentKind.job, .subject, .line, .record] {
            let sentence = try refusal { _ = try kind.read(.object(JsonObject()), "it") }
            #expect(sentence.hasPrefix("it is not valid: "), "\(sentence)")
        }
    }

    @Test func whatIsLeftOutHasTheDefaultOfTheSchema() throws {
        let job = try Example.readJob().job
        #expect(job.computeUnit == .cpu)
        #expect(job.reporting == Reporting())
        #expect(job.benchProtocol.gate == Gate())
        #expect(job.policy == Policy())
        #expect(job.limits == Limits())
        #expect(job.parity == nil)
        #expect(job.inputs.map(\.description) == ["image 1x3x8x8 float32"])
    }

    @Test(arguments: [
        (", \"limits\": {\"time_ns\": 1.5}", "at limits.time_ns: 1.5 is not a whole number"),
        (", \"threads\": true", "at threads: true is not a whole number"),
        (
            ", \"limits\": {\"warmest\": \"hot\"}",
            "at limits.warmest: \"hot\" is not nominal or fair or serious or critical"
        ),
        (", \"colour\": [1]", "nothing is known of the field colour, which is [1]"),
        (", \"variants\": {}", "at variants: {} is not a list"),
        (
            ", \"policy\": {\"aim\": {\"deadline_ns\": 0}}",
            "at policy.aim: deadline_ns is 0; it has to be from 1 to 9007199254740991"
        ),
        (
            ", \"policy\": {\"parameters\": {\"Margin\": 1}}",
            "at policy: the parameter \"Margin\" is not small letters, digits and _"
        ),
        (
            ", \"reporting\": {\"journal_file\": \"a/../b\"}",
            "at reporting: the file \"a/../b\" is not a relative path inside the folder"
        ),
        (
            ", \"upload_url\": \"ftp://lab.example\"", "upload_url is not an address that begins"
        ),
        (", \"upload_url\": \"https:///a\"", "upload_url is not an address that begins"),
        (", \"upload_url\": \"https://\"", "upload_url is not an address that begins"),
        (", \"upload_url\": \"https:lab.example\"", "upload_url is not an address that begins"),
        (", \"parity\": {}", "at parity: batches is missing"),
    ])
    func aRefusalNamesThePlaceAndTheValue(_ more: String, _ sentence: String) throws {
        let refused = try refusal { _ = try Example.readJob(more) }
        #expect(refused.contains(sentence), "\(refused)")
    }

    @Test func anAddressIsTaken() throws {
        for url in ["https://lab.example", "HTTP://10.0.0.1:80/a?b#c", "https://[::1]:8/%20"] {
            let more = ", \"upload_url\": \"\(url)\""
            // Brackets are of addresses of numbers only, and no reader here connects.
            #expect(try Example.readJob(more).job.uploadUrl == url)
        }
    }

    @Test func aPasswordIsInNoRefusal() throws {
        for url in ["https://me:secret@lab.example", "https://me:sec ret@lab.example"] {
            let refused = try refusal { _ = try Example.readJob(", \"upload_url\": \"\(url)\"") }
            #expect(refused.contains("upload_url"), "\(refused)")
            #expect(!refused.contains("ret"), "\(refused)")
        }
    }

    @Test func anInputThatNoArrayHoldsIsRefused() throws {
        let large = ["[2147483647]", "[65536, 65536]", "[9007199254740991]", "[1, 0]", "[-1]"]
        for shape in large {
            let text = Example.jobText().replacing("[1, 3, 8, 8]", with: shape)
            let refused = try refusal { _ = try JobDocument(text.utf8) }
            #expect(refused.contains("image"), "\(refused)")
        }
    }

    @Test func theProtocolOfHalfAnHourIsThereAtEveryRateAndAtNoOther() throws {
        let paced = Protocols.definition("paced-7fps-30min-1")
        #expect(paced?.whole("interval_ns") == 142_857_142)
        #expect(paced?.text("purpose").hasPrefix("heat: 7 frames a second") == true)
        for rate in ["0", "241", "07", "-7", "+7", "{fps}", ""] {
            #expect(Protocols.definition("paced-\(rate)fps-30min-1") == nil, "\(rate)")
        }
        for id in ["burst-2", "", "paced-fps-30min-1", "paced-30min-1"] {
            #expect(Protocols.definition(id) == nil, "\(id)")
        }
        #expect(try Protocols.named("paced-7fps-30min-1")?.intervalNs == 142_857_142)
        #expect(try Protocols.named("burst-1")?.rounds == 5)
        #expect(Protocols.ids.last == "paced-NNfps-30min-1")
        #expect(Protocols.ids.contains("burst-1"))
    }

    @Test func aSensorThatReadsWhatCannotBeIsNotKnown() throws {
        let state = DeviceState(
            tNs: 0,
            temperaturesC: ["skin": 31, "broken": -273.15, "none": .nan],
            headroom: .nan,
            cpuMhz: 2e9,
            batteryFraction: -0.01
        )
        #expect(state.json.text == "{\"t_ns\":0,\"temperatures_c\":{\"skin\":31.0}}")
        let power = Power(readings: [
            PowerReading(tNs: 0, level: 2, current: .min, voltageMv: 0, charging: nil)
        ])
        for column in ["level", "current", "voltage_mv", "charging"] {
            #expect(power.json[column] == .list([.null]), "\(column)")
        }
    }

    @Test func aLimitIsPassedByTheReadingThatIsBeyondIt() {
        let limits = Limits(warmest: .fair, hottestC: 40, leastBattery: 0.2)
        #expect(limits.passed(by: DeviceState(tNs: 0)) == nil)
        #expect(limits.passed(by: DeviceState(tNs: 0, thermal: .fair)) == nil)
        #expect(limits.passed(by: DeviceState(tNs: 0, thermal: .serious)) == .heat)
        #expect(limits.passed(by: DeviceState(tNs: 0, temperaturesC: ["a": 40.5])) == .heat)
        #expect(limits.passed(by: DeviceState(tNs: 0, batteryFraction: 0.1)) == .battery)
        let charging = DeviceState(tNs: 0, batteryFraction: 0.1, charging: true)
        #expect(limits.passed(by: charging) == nil)
    }
}
