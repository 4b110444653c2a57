import Foundation

/// Write the record of a job from the journal beside it; return its file, which appears whole.
///
/// `crash` is what is known of a process that ended before its journal did. Throws
/// `DocumentRefused` for a journal that is not one, `JournalFailed` where a file cannot be read or
/// written.
@discardableResult
public func writeRecord(
    _ given: JobFolder, _ provenance: Provenance, signer: (any Signer)?, crash: Failure? = nil
) throws -> URL {
    let content: Data
    do {
        content = try journalContent(given.journalFile)
    } catch let refusal as DocumentRefused {
        throw refusal
    } catch {
        throw JournalFailed(
            "The journal \(given.journalFile.lastPathComponent) cannot be read: "
                + "\(words(of: error)).")
    }
    let journal = try readJournal(
        content, jobSha256: given.document.sha256, given.journalFile.lastPathComponent)
    let record = try signed(recordOf(given, journal, provenance, crash: crash), by: signer)
    do {
        try Data((record.text + "\n").utf8).write(to: given.recordFile, options: .atomic)
    } catch {
        throw JournalFailed(
            "The record \(given.recordFile.lastPathComponent) cannot be written: "
                + "\(words(of: error)).")
    }
    return given.recordFile
}
