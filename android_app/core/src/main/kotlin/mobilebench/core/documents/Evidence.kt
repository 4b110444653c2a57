package mobilebench.core.documents

private const val MOST = 0.5
private const val APART = 1.1

/**
 * Return how well it is known that [unit] did the work; [p50Ns] is its median latency.
 *
 * The CPU runs whatever is asked of it. Of another unit, a plan that gives it nothing means that
 * it is not supported; a plan that gives it most, and a time that is not the CPU's, confirm it. One
 * of the two makes it likely. Of `all`, which names no unit, a whole plan is all that can be known.
 */
fun judgeUnit(
    unit: ComputeUnit,
    p50Ns: Double,
    placement: List<PlacedOperation>?,
    timings: List<UnitTiming>,
): UnitEvidence {
    if (unit == ComputeUnit.CPU) return UnitEvidence.CONFIRMED
    if (unit == ComputeUnit.ALL) {
        val whole = !placement.isNullOrEmpty() && placement.all { it.unit != null }
        return if (whole) UnitEvidence.LIKELY else UnitEvidence.UNKNOWN
    }
    val planned = shareOn(unit, placement.orEmpty())
    val apart = isApart(p50Ns, timings)
    return when {
        planned == 0.0 -> UnitEvidence.NOT_SUPPORTED
        planned == null -> if (apart == true) UnitEvidence.LIKELY else UnitEvidence.UNKNOWN
        planned < MOST -> UnitEvidence.UNKNOWN
        apart == null -> UnitEvidence.LIKELY
        else -> if (apart) UnitEvidence.CONFIRMED else UnitEvidence.UNKNOWN
    }
}

/** Return the share of the operations, by cost where the plan states it; null without a plan. */
private fun shareOn(unit: ComputeUnit, placement: List<PlacedOperation>): Double? {
    val named = placement.filter { it.unit != null }
    val weighed = named.all { it.cost != null }
    fun weight(of: List<PlacedOperation>) = of.sumOf { if (weighed) it.cost ?: 0.0 else 1.0 }
    val whole = weight(named)
    return if (whole == 0.0) null else weight(named.filter { it.unit == unit }) / whole
}

/** Tell whether the CPU's time is another one; null where it was not measured. */
private fun isApart(p50Ns: Double, timings: List<UnitTiming>): Boolean? {
    val onCpu = timings.lastOrNull { it.unit == ComputeUnit.CPU } ?: return null
    val ratio = onCpu.p50Ns / p50Ns
    return maxOf(ratio, 1 / ratio) >= APART
}
