package mobilebench.core.sensors

import mobilebench.core.documents.Cores

/** Reads small files of the system. */
fun interface SystemFiles {
    /** Return the content of a file, or why there is none: it is not there, or may not be read. */
    fun read(path: String): Reading<String>
}

/** The cores that share one clock. */
data class Cluster(val cpus: List<Int>, val maxMhz: Double?)

private const val CPU = "/sys/devices/system/cpu"
private const val MOST_CPUS = 64
private const val MOST_MHZ = 20_000.0

/**
 * Reads cores, clocks and caps from the files of Linux.
 *
 * Files of cores that are off fail or vanish, and a device may forbid all of them: what cannot be
 * read is left out, and never 0.
 */
class CpuFiles(private val files: SystemFiles) {
    /** The clusters, the slowest first; empty where the files do not tell. */
    val clusters: List<Cluster> = found()

    /** Cores that the device has, also those that are off; null where it does not tell. */
    val cores: Int?
        get() = files.read("$CPU/possible").value?.let(::cpuList)?.size?.takeIf { it > 0 }

    /** Cores by kind, the slowest first; null where they are not known. */
    fun kinds(): List<Cores>? =
        clusters.takeIf { it.isNotEmpty() }?.map { Cores(it.cpus.size, it.maxMhz) }

    /** The mean clock over the cores now. */
    fun clockMhz(): Reading<Double> {
        val readings = clusters.map { it.cpus.size to clock(it, "scaling_cur_freq") }
        val known = readings.mapNotNull { (cores, clock) -> clock.value?.let { cores to it } }
        if (known.isEmpty()) return readings.firstOrNull()?.second ?: Missing.ABSENT
        return Got(known.sumOf { (cores, mhz) -> cores * mhz } / known.sumOf { it.first })
    }

    /** The highest clock that the system allows the fastest cores now. */
    fun capMhz(): Reading<Double> =
        clusters.lastOrNull()?.let { clock(it, "scaling_max_freq") } ?: Missing.ABSENT

    /** The policy by which the clock of the first core is set. */
    fun governor(): Reading<String> {
        val cluster = clusters.firstOrNull { 0 in it.cpus } ?: return Missing.ABSENT
        return files.read("${policy(cluster)}/scaling_governor").map { text ->
            text.trim().takeIf { it.isNotEmpty() }
        }
    }

    private fun clock(cluster: Cluster, name: String): Reading<Double> =
        files.read("${policy(cluster)}/$name").map(::mhz)

    private fun policy(cluster: Cluster): String = "$CPU/cpufreq/policy${cluster.cpus.first()}"

    private fun found(): List<Cluster> {
        val clusters = ArrayList<Cluster>()
        for (cpu in 0 until MOST_CPUS) {
            val policy = "$CPU/cpufreq/policy$cpu"
            val cpus = files.read("$policy/related_cpus").value?.let(::cpuList).orEmpty()
            if (cpus.isEmpty() || cpus.first() != cpu) continue
            clusters.add(Cluster(cpus, files.read("$policy/cpuinfo_max_freq").map(::mhz).value))
        }
        return clusters.sortedBy { it.maxMhz ?: 0.0 }
    }
}

private fun mhz(text: String): Double? =
    text.trim().toLongOrNull()?.let { it / 1000.0 }?.takeIf { it > 0 && it <= MOST_MHZ }

/** Read a list of cores as Linux writes it: `0-3,6` or `0 1 2 3`; empty where it is none. */
fun cpuList(text: String): List<Int> {
    val cpus = ArrayList<Int>()
    for (part in text.trim().split(',', ' ').filter { it.isNotEmpty() }) {
        val ends = part.split('-').map { it.toIntOrNull() ?: return emptyList() }
        if (ends.size > 2 || ends.any { it !in 0 until 4096 }) return emptyList()
        cpus.addAll(ends.first()..ends.last())
    }
    return cpus
}

/** How Linux schedules a thread: its group of cores, its cores, its nice value. */
data class ThreadPlace(val cpuset: String?, val affinity: List<Int>?, val nice: Int?)

/** Read where a thread may run. Paths are of the thread that reads them. */
fun threadPlace(files: SystemFiles): ThreadPlace {
    val status = files.read("/proc/thread-self/status").value.orEmpty()
    val allowed = status.lineSequence().firstOrNull { it.startsWith("Cpus_allowed_list:") }
    // The name of a program stands in brackets, and may hold spaces and brackets itself.
    val stat = files.read("/proc/thread-self/stat").value?.substringAfterLast(')')
    return ThreadPlace(
        cpuset = files.read("/proc/self/cpuset").value?.trim()?.trimStart('/')
            ?.ifEmpty { "root" },
        affinity = allowed?.substringAfter(':')?.let(::cpuList)?.takeIf { it.isNotEmpty() },
        nice = stat?.trim()?.split(' ')?.getOrNull(NICE)?.toIntOrNull()?.takeIf { it in -20..19 },
    )
}

/** Place of the nice value among the fields after the program's name. */
private const val NICE = 16
