/// Every text of the app; its resources have the words under the raw value.
public enum TextKey: String, CaseIterable, Sendable {
    case appName = "app_name"
    case jobs
    case history
    case noJobs = "no_jobs"
    case noResults = "no_results"
    case importFolder = "import_folder"
    case open
    case openJob = "open_job"
    case openResult = "open_result"
    case upTo = "up_to"
    case stateReady = "state_ready"
    case stateCutOff = "state_cut_off"
    case stateDone = "state_done"
    case stateFaulty = "state_faulty"
    case suspect
    case atUtc = "at_utc"
    case run
    case goOn = "go_on"
    case showResult = "show_result"
    case modelFile = "model_file"
    case runtime
    case computeUnit = "compute_unit"
    case threads
    case `protocol`
    case longest
    case widths
    case size
    case adviceFront = "advice_front"
    case adviceUnlocked = "advice_unlocked"
    case adviceCool = "advice_cool"
    case adviceStill = "advice_still"
    case stop
    case runCheckingFiles = "run_checking_files"
    case runCheckingOutputs = "run_checking_outputs"
    case runRound = "run_round"
    case runStill = "run_still"
    case runStopping = "run_stopping"
    case runStopped = "run_stopped"
    case runStoppedBehind = "run_stopped_behind"
    case runStoppedHot = "run_stopped_hot"
    case runEnded = "run_ended"
    case runFailed = "run_failed"
    case lastLatency = "last_latency"
    case samples
    case temperature
    case thermalState = "thermal_state"
    case width
    case thermalNominal = "thermal_nominal"
    case thermalFair = "thermal_fair"
    case thermalSerious = "thermal_serious"
    case thermalCritical = "thermal_critical"
    case notKnown = "not_known"
    case warningBackground = "warning_background"
    case warningScreenOff = "warning_screen_off"
    case warningCall = "warning_call"
    case chartLatency = "chart_latency"
    case chartTemperature = "chart_temperature"
    case chartWidth = "chart_width"
    case chartDeadline = "chart_deadline"
    case chartNoSamples = "chart_no_samples"
    case chartNoTemperature = "chart_no_temperature"
    case timeInSeconds = "time_in_seconds"
    case timeInMinutes = "time_in_minutes"
    case heardLatency = "heard_latency"
    case heardTemperature = "heard_temperature"
    case heardThermal = "heard_thermal"
    case heardWidth = "heard_width"
    case heardNoTemperature = "heard_no_temperature"
    case heardProgress = "heard_progress"
    case headlineMedian = "headline_median"
    case headlineP90 = "headline_p90"
    case headlineTrimmedMean = "headline_trimmed_mean"
    case indicative
    case tooFewSamplesForANumber = "too_few_samples_for_a_number"
    case failedAt = "failed_at"
    case device
    case measuredAt = "measured_at"
    case median
    case percentile90 = "percentile_90"
    case shortest
    case framesOnTime = "frames_on_time"
    case someOfAll = "some_of_all"
    case firstLoad = "first_load"
    case memory
    case evidence
    case outputsOn = "outputs_on"
    case outputsAgree = "outputs_agree"
    case outputsDiffer = "outputs_differ"
    case stage
    case error
    case whatToDo = "what_to_do"
    case share
    case saveRecord = "save_record"
    case nameAndValue = "name_and_value"
    case sharedBy = "shared_by"
    case stoppedByTime = "stopped_by_time"
    case stoppedByHeat = "stopped_by_heat"
    case stoppedByBattery = "stopped_by_battery"
    case voidRounds = "void_rounds"
    case diagnosisTooFewSamples = "diagnosis_too_few_samples"
    case diagnosisTimerTooCoarse = "diagnosis_timer_too_coarse"
    case diagnosisOutputsDiffer = "diagnosis_outputs_differ"
    case diagnosisOtherUnit = "diagnosis_other_unit"
    case diagnosisDebugBuild = "diagnosis_debug_build"
    case diagnosisNotInFront = "diagnosis_not_in_front"
    case diagnosisStoppedEarly = "diagnosis_stopped_early"
    case diagnosisCutOff = "diagnosis_cut_off"
    case diagnosisNotGated = "diagnosis_not_gated"
    case diagnosisThrottled = "diagnosis_throttled"
    case diagnosisClockCapped = "diagnosis_clock_capped"
    case diagnosisDriftWithTemperature = "diagnosis_drift_with_temperature"
    case diagnosisBurstNotSustained = "diagnosis_burst_not_sustained"
    case diagnosisNotConverged = "diagnosis_not_converged"
    case diagnosisBackgroundLoad = "diagnosis_background_load"
    case diagnosisMoreThreadsThanCores = "diagnosis_more_threads_than_cores"
    case diagnosisLowPowerMode = "diagnosis_low_power_mode"
    case diagnosisMemoryShort = "diagnosis_memory_short"
    case diagnosisChargerChanged = "diagnosis_charger_changed"
    case diagnosisNoisySamples = "diagnosis_noisy_samples"
    case diagnosisBimodalLatency = "diagnosis_bimodal_latency"
    case diagnosisThermalStateChanged = "diagnosis_thermal_state_changed"
    case diagnosisSlowFirstRun = "diagnosis_slow_first_run"
    case runElsewhere = "run_elsewhere"
    case noticeNoSuchJob = "notice_no_such_job"
    case noticeKey = "notice_key"
    case noticeImporting = "notice_importing"
    case noticeImported = "notice_imported"
    case noticeRefused = "notice_refused"
    case noticeSaved = "notice_saved"
    case noticeSaveFailed = "notice_save_failed"
    case noticeUnfinished = "notice_unfinished"
    case noticeNoStorage = "notice_no_storage"
    case close
    case plan
    case planOf = "plan_of"
    case planOperations = "plan_operations"
    case planNotAsked = "plan_not_asked"
    case planNotTold = "plan_not_told"
    case planEndedApp = "plan_ended_app"
    case noticePlanned = "notice_planned"
    case noticeNewLaunch = "notice_new_launch"
    case adviceAutoLock = "advice_auto_lock"
}
