package mobilebench.app

import android.content.ContentResolver
import android.content.Context
import android.net.Uri
import android.os.Handler
import android.os.Looper
import android.provider.DocumentsContract
import android.provider.DocumentsContract.Document
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import mobilebench.core.jobs.ImportRefused
import mobilebench.core.jobs.Incoming
import mobilebench.core.jobs.JobLimits
import mobilebench.core.jobs.importJob
import mobilebench.core.jobs.importZip

/** Folders below the chosen one that are looked into; a job needs two or three. */
private const val MOST_LEVELS = 8

/** Copies a job that the user chose, on a thread of its own. */
class Importing(private val context: Context, private val jobs: File) {
    private val resolver: ContentResolver = context.contentResolver
    private val limits = JobLimits(mostBytes = minOf(JobLimits().mostBytes, jobs.usableSpace))

    /** Copy; then call [done] with the name of the job, or [refused] with a sentence. */
    fun begin(
        uri: Uri,
        isFolder: Boolean,
        done: (String) -> Unit,
        refused: (String) -> Unit,
    ) {
        val main = Handler(Looper.getMainLooper())
        Thread({
            val result = try {
                val folder = if (isFolder) folder(uri) else zip(uri)
                val name = folder.name
                Runnable { done(name) }
            } catch (error: ImportRefused) {
                Runnable { refused(error.message.orEmpty()) }
            } catch (error: IOException) {
                Runnable { refused("The file cannot be read: ${error.message}.") }
            } catch (error: SecurityException) {
                Runnable { refused("The system does not permit reading it: ${error.message}.") }
            }
            main.post(result)
        }, "import").start()
    }

    private fun zip(uri: Uri): File =
        importZip(jobs, nameOf(uri), open(uri), limits)

    private fun folder(tree: Uri): File {
        val root = DocumentsContract.getTreeDocumentId(tree)
        val name = root.substringAfterLast('/').substringAfterLast(':')
        return importJob(jobs, name, files(tree, root, "", 0), limits)
    }

    private fun files(tree: Uri, id: String, path: String, level: Int): Sequence<Incoming> =
        children(tree, id).asSequence().flatMap { child ->
            val below = if (path.isEmpty()) child.name else "$path/${child.name}"
            when {
                !child.isFolder -> {
                    val uri = DocumentsContract.buildDocumentUriUsingTree(tree, child.id)
                    sequenceOf(Incoming(below) { open(uri) })
                }
                level < MOST_LEVELS -> files(tree, child.id, below, level + 1)
                else -> throw ImportRefused(
                    "The folder $below lies too deep for one of a job; choose the job's own.",
                )
            }
        }

    private class Child(val id: String, val name: String, val isFolder: Boolean)

    private fun children(tree: Uri, id: String): List<Child> {
        val uri = DocumentsContract.buildChildDocumentsUriUsingTree(tree, id)
        val columns = arrayOf(
            Document.COLUMN_DOCUMENT_ID, Document.COLUMN_DISPLAY_NAME, Document.COLUMN_MIME_TYPE,
        )
        val children = ArrayList<Child>()
        resolver.query(uri, columns, null, null, null)?.use { rows ->
            while (rows.moveToNext()) {
                val type = rows.getString(2)
                children.add(
                    Child(
                        rows.getString(0), rows.getString(1), type == Document.MIME_TYPE_DIR,
                    ),
                )
            }
        }
        return children
    }

    private fun nameOf(uri: Uri): String {
        val columns = arrayOf(OpenableColumns.DISPLAY_NAME)
        return resolver.query(uri, columns, null, null, null)
            ?.use { rows -> if (rows.moveToFirst()) rows.getString(0) else null } ?: "job"
    }

    private fun open(uri: Uri) =
        resolver.openInputStream(uri) ?: throw FileNotFoundException("$uri is not there")
}
