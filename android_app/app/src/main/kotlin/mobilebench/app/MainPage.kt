package mobilebench.app

import android.os.Bundle

/** A page of the main activity. */
sealed class MainPage {
    data object Jobs : MainPage()

    data object History : MainPage()

    data object Server : MainPage()

    data class OfJob(val name: String) : MainPage()

    data class OfResult(val name: String, val fromHistory: Boolean) : MainPage()

    /** Where the back key leads; null is out of the app. */
    val before: MainPage?
        get() = when (this) {
            Jobs -> null
            History, Server -> Jobs
            is OfJob -> Jobs
            is OfResult -> if (fromHistory) History else OfJob(name)
        }

    fun keepIn(state: Bundle) {
        val (kind, name) = when (this) {
            Jobs -> JOBS to ""
            History -> HISTORY to ""
            Server -> SERVER to ""
            is OfJob -> JOB to name
            is OfResult -> (if (fromHistory) PAST else RESULT) to name
        }
        state.putString(KIND, kind)
        state.putString(NAME, name)
    }

    companion object {
        private const val KIND = "page"
        private const val NAME = "name"
        private const val JOBS = "jobs"
        private const val HISTORY = "history"
        private const val SERVER = "server"
        private const val JOB = "job"
        private const val RESULT = "result"
        private const val PAST = "past"

        fun of(state: Bundle?): MainPage {
            val name = state?.getString(NAME).orEmpty()
            return when (state?.getString(KIND)) {
                HISTORY -> History
                SERVER -> Server
                JOB -> OfJob(name)
                RESULT -> OfResult(name, fromHistory = false)
                PAST -> OfResult(name, fromHistory = true)
                else -> Jobs
            }
        }
    }
}
