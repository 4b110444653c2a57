package com.facebook.jni

import mobilebench.natives.Case
import mobilebench.natives.Runtimes
import org.junit.Assert.assertTrue
import org.junit.Test

class HybridDataTest {
    @Test
    fun `the outputs of earlier runs are released while others are made`() {
        val case = Case.small("executorch")
        Runtimes.executorch.load(case.request()).use { model ->
            model.feed(case.fed().first())
            repeat(RUNS) { model.run() }
            // The collector takes its time to tell what it found.
            for (attempt in 1..MOST_COLLECTIONS) {
                if (HybridData.Destructor.alive() < RUNS / 10) break
                System.gc()
                model.run()
            }
        }
        val alive = HybridData.Destructor.alive()
        assertTrue("$alive objects after $RUNS runs of 3 outputs", alive < RUNS / 10)
    }

    private companion object {
        const val RUNS = 5000
        const val MOST_COLLECTIONS = 100
    }
}
