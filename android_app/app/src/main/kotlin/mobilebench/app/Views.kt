package mobilebench.app

import android.app.Activity
import android.content.Context
import android.content.res.Configuration
import android.content.res.Resources
import android.graphics.Typeface
import android.os.Build
import android.text.InputType
import android.util.TypedValue
import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.view.inputmethod.EditorInfo
import android.widget.Button
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.ScrollView
import android.widget.TextView
import mobilebench.core.screens.Action
import mobilebench.core.screens.Fact
import mobilebench.core.screens.Palette
import mobilebench.core.screens.Role
import mobilebench.core.screens.Row
import mobilebench.core.screens.Text
import mobilebench.core.screens.TextKey
import mobilebench.core.screens.Words
import mobilebench.core.screens.say

/** Whether the system asks for dark colours. */
fun isNight(resources: Resources): Boolean =
    resources.configuration.uiMode and Configuration.UI_MODE_NIGHT_MASK ==
        Configuration.UI_MODE_NIGHT_YES

/** Builds the views of a page, from the top down. */
class Page(private val context: Context, private val words: Words) {
    private val night = isNight(context.resources)
    private val palette = if (night) Palette.DARK else Palette.LIGHT
    private val column = LinearLayout(context).apply {
        orientation = LinearLayout.VERTICAL
        setPadding(dp(16), dp(16), dp(16), dp(24))
    }

    /** Show the page in an activity, below the bars of the system. */
    fun showIn(activity: Activity) {
        val scroll = ScrollView(context).apply {
            setBackgroundColor(backgroundOf(night))
            isFillViewport = true
            fitsSystemWindows = true
            addView(column)
        }
        activity.setContentView(scroll)
    }

    fun title(text: Text): TextView = text(text, 24f, Role.TEXT).apply {
        if (Build.VERSION.SDK_INT >= 28) isAccessibilityHeading = true
    }

    fun paragraph(text: Text): TextView = text(text, 16f, Role.TEXT)

    /** What a user has to know; screen readers speak it when it changes. */
    fun notice(text: Text): TextView = text(text, 16f, Role.LIMIT).also(::speak)

    fun status(text: Text): TextView = text(text, 18f, Role.TEXT).also(::speak)

    fun headline(text: Text): TextView =
        text(text, 22f, Role.LATENCY).apply { setTypeface(typeface, Typeface.BOLD) }

    /** A table of names and values, each pair read as one. */
    fun facts(facts: List<Fact>): FactsView =
        FactsView(context, words, ::styled).also {
            it.show(facts)
            add(it.column)
        }

    fun drawing(view: View) = add(view)

    /** A line to type into. What is typed is of no use to a dictionary or to another app. */
    fun field(label: Text, typed: String): EditText {
        val field = EditText(context).apply {
            hint = words.say(label)
            setText(typed)
            inputType = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS or
                InputType.TYPE_TEXT_VARIATION_URI
            imeOptions = EditorInfo.IME_FLAG_NO_PERSONALIZED_LEARNING
            importantForAutofill = View.IMPORTANT_FOR_AUTOFILL_NO
            setTextSize(TypedValue.COMPLEX_UNIT_SP, 16f)
            setTextColor((0xFF shl 24) or palette.of(Role.TEXT))
            setHintTextColor((0xFF shl 24) or palette.of(Role.FAINT_TEXT))
            minimumHeight = dp(TOUCH)
        }
        add(field)
        return field
    }

    fun button(action: Action, press: () -> Unit): Button {
        val button = Button(context).apply {
            text = words.say(action.label)
            contentDescription = words.say(action.description)
            isEnabled = action.enabled
            isAllCaps = false
            minimumHeight = dp(TOUCH)
            minHeight = dp(TOUCH)
            setTextSize(TypedValue.COMPLEX_UNIT_SP, 16f)
            setOnClickListener { press() }
        }
        add(button)
        return button
    }

    /** One entry of a list; all of it is one touch target. */
    fun row(row: Row, press: (() -> Unit)?) {
        val entry = LinearLayout(context).apply {
            orientation = LinearLayout.VERTICAL
            minimumHeight = dp(TOUCH)
            setPadding(0, dp(8), 0, dp(8))
            gravity = Gravity.CENTER_VERTICAL
            contentDescription = words.say(row.description)
            importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_YES
            if (press != null) {
                isClickable = true
                isFocusable = true
                setBackgroundResource(selectable())
                setOnClickListener { press() }
            }
        }
        entry.addView(styled(row.title, 18f, Role.TEXT))
        for (detail in row.details) entry.addView(styled(detail, 14f, Role.FAINT_TEXT))
        row.problem?.let { entry.addView(styled(it, 14f, Role.LIMIT)) }
        for (index in 0 until entry.childCount) {
            entry.getChildAt(index).importantForAccessibility =
                View.IMPORTANT_FOR_ACCESSIBILITY_NO
        }
        add(entry)
    }

    private fun text(text: Text, size: Float, role: Role): TextView =
        styled(text, size, role).also(::add)

    private fun styled(text: Text, size: Float, role: Role): TextView =
        TextView(context).apply {
            this.text = words.say(text)
            setTextSize(TypedValue.COMPLEX_UNIT_SP, size)
            setTextColor((0xFF shl 24) or palette.of(role))
            textAlignment = View.TEXT_ALIGNMENT_VIEW_START
        }

    private fun speak(view: TextView) {
        view.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
    }

    private fun add(view: View) {
        val place = LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT)
        place.bottomMargin = dp(8)
        column.addView(view, place)
    }

    private fun selectable(): Int {
        val value = TypedValue()
        context.theme.resolveAttribute(android.R.attr.selectableItemBackground, value, true)
        return value.resourceId
    }

    private fun dp(count: Int): Int = (count * context.resources.displayMetrics.density).toInt()

    private companion object {
        /** Least height of what is touched, in dp. */
        const val TOUCH = 48
    }
}

/** Shows a table of names and values; views stay while their number does. */
class FactsView(
    context: Context,
    private val words: Words,
    private val styled: (Text, Float, Role) -> TextView,
) {
    val column = LinearLayout(context).apply { orientation = LinearLayout.VERTICAL }

    fun show(facts: List<Fact>) {
        if (facts.size != column.childCount) {
            column.removeAllViews()
            for (fact in facts) column.addView(styled(fact.asText(), 16f, Role.TEXT))
            return
        }
        facts.forEachIndexed { index, fact ->
            (column.getChildAt(index) as? TextView)?.showText(words.say(fact.asText()))
        }
    }

    private fun Fact.asText(): Text = Text.of(TextKey.NAME_AND_VALUE, name, value)
}

/** Show a text where it is another one: setting the same again would make readers repeat it. */
fun TextView.showText(shown: String) {
    if (text.toString() != shown) text = shown
}
