package mobilebench.core.sensors

import mobilebench.core.documents.Cores
import mobilebench.core.documents.Unreadable
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class CpuFilesTest {
    private val cpu = "/sys/devices/system/cpu"
    private val phone = mapOf(
        "$cpu/possible" to "0-7\n",
        "$cpu/cpufreq/policy0/related_cpus" to "0 1 2 3\n",
        "$cpu/cpufreq/policy0/cpuinfo_max_freq" to "1803000\n",
        "$cpu/cpufreq/policy0/scaling_cur_freq" to "1000000\n",
        "$cpu/cpufreq/policy0/scaling_governor" to "schedutil\n",
        "$cpu/cpufreq/policy4/related_cpus" to "4 5 6\n",
        "$cpu/cpufreq/policy4/cpuinfo_max_freq" to "2253000\n",
        "$cpu/cpufreq/policy4/scaling_cur_freq" to "2000000\n",
        "$cpu/cpufreq/policy7/related_cpus" to "7\n",
        "$cpu/cpufreq/policy7/cpuinfo_max_freq" to "2850000\n",
        "$cpu/cpufreq/policy7/scaling_cur_freq" to "2850000\n",
        "$cpu/cpufreq/policy7/scaling_max_freq" to "1747000\n",
    )

    private fun files(contents: Map<String, String>) = SystemFiles { path ->
        contents[path]?.let { Got(it) } ?: Missing.ABSENT
    }

    @Test
    fun `clusters come the slowest first`() {
        val read = CpuFiles(files(phone))
        assertEquals(8, read.cores)
        assertEquals(listOf(Cores(4, 1803.0), Cores(3, 2253.0), Cores(1, 2850.0)), read.kinds())
    }

    @Test
    fun `clock is the mean over cores, and cap that of the fastest`() {
        val read = CpuFiles(files(phone))
        assertEquals((4 * 1000.0 + 3 * 2000.0 + 2850.0) / 8, read.clockMhz().value ?: 0.0, 1e-9)
        assertEquals(1747.0, read.capMhz().value ?: 0.0, 1e-9)
        assertEquals("schedutil", read.governor().value)
    }

    @Test
    fun `cores that are off are left out of the mean`() {
        val off = phone - "$cpu/cpufreq/policy4/scaling_cur_freq"
        val read = CpuFiles(files(off))
        assertEquals((4 * 1000.0 + 2850.0) / 5, read.clockMhz().value ?: 0.0, 1e-9)
    }

    @Test
    fun `files that are forbidden give no number and say so`() {
        val denied = CpuFiles { path ->
            if ("_freq" in path || "governor" in path) Missing.DENIED
            else phone[path]?.let { Got(it) } ?: Missing.ABSENT
        }
        assertEquals(Unreadable.DENIED, (denied.clockMhz() as Missing).why)
        assertEquals(listOf(Cores(4), Cores(3), Cores(1)).toSet(), denied.kinds()?.toSet())
    }

    @Test
    fun `a device without these files is one of which nothing is known`() {
        val read = CpuFiles { Missing.ABSENT }
        assertEquals(null, read.kinds())
        assertEquals(null, read.cores)
        assertEquals(Missing.ABSENT, read.clockMhz())
        assertEquals(Missing.ABSENT, read.capMhz())
        assertEquals(Missing.ABSENT, read.governor())
    }

    @Test
    fun `a clock of 0 or without sense is no clock`() {
        for (text in listOf("0", "-1", "<unknown>", "", "99999999999")) {
            val read = CpuFiles(files(phone + ("$cpu/cpufreq/policy7/scaling_max_freq" to text)))
            assertEquals(text, null, read.capMhz().value)
        }
    }

    @Test
    fun `lists of cores are read in both ways of writing`() {
        assertEquals(listOf(0, 1, 2, 3, 6), cpuList("0-3,6\n"))
        assertEquals(listOf(4, 5), cpuList("4 5 "))
        for (wrong in listOf("", "x", "1-", "0-999999999", "1-2-3")) {
            assertEquals(wrong, emptyList<Int>(), cpuList(wrong))
        }
    }

    @Test
    fun `a thread's place is read also where its name has spaces and brackets`() {
        val fields = (3..40).joinToString(" ") { if (it == 19) "-4" else "$it" }
        val place = threadPlace(
            files(
                mapOf(
                    "/proc/thread-self/stat" to "123 (a (b) c) $fields\n",
                    "/proc/thread-self/status" to "Name:\tx\nCpus_allowed_list:\t4-7\n",
                    "/proc/self/cpuset" to "/top-app\n",
                ),
            ),
        )
        assertEquals(ThreadPlace("top-app", listOf(4, 5, 6, 7), -4), place)
        assertEquals(ThreadPlace(null, null, null), threadPlace { Missing.DENIED })
    }

    @Test
    fun `this machine's own files are read`() {
        val here = SystemFiles { path ->
            File(path).takeIf { it.canRead() }?.let { Got(it.readText()) } ?: Missing.ABSENT
        }
        if (!File("/proc/self/status").canRead()) return
        val memory = resident(here)
        assertTrue(memory.nowBytes > 1_000_000 && memory.peakBytes >= memory.nowBytes)
        assertTrue(threadPlace(here).affinity.orEmpty().isNotEmpty())
        assertTrue(pageBytesOf(File("/proc/self/auxv").readBytes()) in setOf(4096L, 16384L, 65536L))
    }
}
