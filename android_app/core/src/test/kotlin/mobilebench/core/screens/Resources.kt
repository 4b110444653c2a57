package mobilebench.core.screens

import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import org.w3c.dom.Element

/** The texts of the app, read from its resources. */
object Resources : Words {
    private val file: File = generateSequence(File("").absoluteFile) { it.parentFile }
        .map { File(it, "android_app/app/src/main/res/values/strings.xml") }
        .first { it.isFile }

    val strings: Map<String, String> = read()

    override fun of(key: TextKey, arguments: List<String>): String {
        var text = strings.getValue(key.resource)
        arguments.forEachIndexed { index, argument ->
            text = text.replace("%${index + 1}\$s", argument)
        }
        return text
    }

    private fun read(): Map<String, String> {
        val document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file)
        val nodes = document.getElementsByTagName("string")
        return (0 until nodes.length).map { nodes.item(it) as Element }
            .associate { it.getAttribute("name") to it.textContent.replace("\\'", "'") }
    }
}
