package mobilebench.app

import android.app.Activity
import mobilebench.core.screens.Action
import mobilebench.core.screens.ActionKind
import mobilebench.core.screens.JobScreen
import mobilebench.core.screens.ListScreen
import mobilebench.core.screens.ResultScreen
import mobilebench.core.screens.RunSoFar
import mobilebench.core.screens.ServerScreen
import mobilebench.core.screens.Text
import mobilebench.core.screens.Words
import mobilebench.core.screens.describe
import mobilebench.core.screens.draw
import mobilebench.core.screens.runChart
import mobilebench.core.screens.say

/** Builds the pages of the main activity from what core decided. */
class MainViews(
    private val activity: Activity,
    private val words: Words,
    /** Opens the entry of a list. */
    private val open: (MainPage, String) -> Unit,
    /** Does what a button says, for a job by its name. */
    private val press: (Action, String) -> Unit,
    private val share: (String) -> Unit,
) {
    fun show(screen: ListScreen, of: MainPage) {
        val page = Page(activity, words)
        activity.title = words.say(screen.title)
        page.title(screen.title)
        screen.notice?.let { page.notice(it) }
        if (screen.rows.isEmpty()) page.paragraph(screen.empty)
        for (row in screen.rows) {
            val press = row.action?.let { { open(of, row.name) } }
            page.row(row, press)
        }
        for (action in screen.actions) page.button(action) { press(action, "") }
        page.showIn(activity)
    }

    /** Show the work for a server; [typed] stands in its field, and [enrol] gets what does. */
    fun show(screen: ServerScreen, typed: String, enrol: (String) -> Unit) {
        val page = Page(activity, words)
        activity.title = words.say(screen.title)
        page.title(screen.title)
        screen.problem?.let { page.notice(it) }
        page.facts(screen.facts)
        for (advice in screen.advice) page.paragraph(advice)
        val field = screen.field?.let { page.field(it, typed) }
        for (action in screen.actions) {
            page.button(action) {
                if (action.kind == ActionKind.ENROL) enrol(field?.text?.toString().orEmpty())
                else press(action, "")
            }
        }
        for (row in screen.rows) page.row(row, null)
        page.showIn(activity)
    }

    fun show(screen: JobScreen, name: String) {
        val page = Page(activity, words)
        activity.title = words.say(screen.title)
        page.title(screen.title)
        screen.problem?.let { page.notice(it) }
        page.facts(screen.facts)
        for (advice in screen.advice) page.paragraph(advice)
        for (action in screen.actions) page.button(action) { press(action, name) }
        page.showIn(activity)
    }

    fun show(
        screen: ResultScreen,
        notice: Text?,
        name: String,
        run: RunSoFar?,
        deadlineNs: Long?,
    ) {
        val page = Page(activity, words)
        activity.title = words.say(screen.title)
        page.title(screen.title)
        page.headline(screen.headline)
        notice?.let { page.notice(it) }
        for (doubt in screen.doubts) page.notice(doubt)
        if (run != null && screen.chart) {
            val chart = DrawingView(activity) { draw(runChart(run, deadlineNs, words), it, words) }
            chart.contentDescription = words.say(describe(run))
            page.drawing(chart)
        }
        page.facts(screen.facts)
        for (action in screen.actions) {
            page.button(action) {
                if (action.kind == ActionKind.SHARE) share(words.say(screen.shared))
                else press(action, name)
            }
        }
        page.showIn(activity)
    }
}
