package mobilebench.core.screens

/** What a user can do on a screen. */
enum class ActionKind {
    RUN, GO_ON, OPEN, STOP, IMPORT_FOLDER, IMPORT_ZIP, SHARE, SAVE, HISTORY, JOBS, SERVER, ENROL,
    SWITCH_ON, SWITCH_OFF, SEND_AGAIN, LEAVE_SERVER,
}

/** Something to press. */
data class Action(
    val kind: ActionKind,
    val label: Text,
    val enabled: Boolean = true,
    /** What is said of it, where that is more than its label. */
    val description: Text = label,
)

/** One entry of a list. */
data class Row(
    /** The job's folder. */
    val name: String,
    val title: Text,
    val details: List<Text>,
    /** What is wrong with it; null where nothing is. */
    val problem: Text?,
    /** What a tap does; null where it does nothing. */
    val action: Action?,
) {
    /** All of it, for people who hear it. */
    val description: Text
        get() = Joined(listOfNotNull(title) + details + listOfNotNull(problem), ". ")
}

/** A list of jobs or of results. */
data class ListScreen(
    val title: Text,
    /** Stands in place of rows where there are none. */
    val empty: Text,
    val rows: List<Row>,
    val actions: List<Action>,
    /** Something that a user has to know now; null where there is nothing. */
    val notice: Text? = null,
)

/** One line of a table: a name and a value. */
data class Fact(val name: Text, val value: Text)

/** The page of one job before it runs. */
data class JobScreen(
    val title: Text,
    val facts: List<Fact>,
    val advice: List<Text>,
    val problem: Text?,
    val actions: List<Action>,
)

/** The page of a run. */
data class LiveScreen(
    val title: Text,
    /** What it does now; screen readers speak it when it changes. */
    val status: Text,
    val facts: List<Fact>,
    /** The share that is done, 0 to 1; null where the page stands still. */
    val share: Double?,
    /** Whether the chart is drawn. */
    val chart: Boolean,
    /** Why the result will not count; null where nothing speaks against it. */
    val warning: Text?,
    val actions: List<Action>,
)

/** The page of a result. */
data class ResultScreen(
    val title: Text,
    /** The one number, or that there is none. */
    val headline: Text,
    val facts: List<Fact>,
    /** What speaks against the result, the most serious first. */
    val doubts: List<Text>,
    val chart: Boolean,
    val actions: List<Action>,
    /** What sharing sends. */
    val shared: Text,
)
