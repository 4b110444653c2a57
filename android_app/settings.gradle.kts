// For Android Studio. Not run in CI, where tools/build.py builds the same modules from pinned parts
// (Google's and Maven's repositories are not needed there); tests/android/test_gradle.py holds the
// two descriptions equal. There is no wrapper: open this folder in Android Studio, or run Gradle 8.14.

pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositoriesMode.set(RepositoriesMode.FAIL_ON_PROJECT_REPOS)
    repositories {
        google()
        mavenCentral()
    }
}

rootProject.name = "mobilebench"

include(":core")
include(":conformance")
include(":runners:onnxruntime")
include(":runners:tflite")
include(":runners:executorch")
include(":app")
