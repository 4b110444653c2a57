// Not run in CI; see settings.gradle.kts.

import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "mobilebench.app"
    compileSdk = 34
    defaultConfig {
        applicationId = "mobilebench.app"
        minSdk = 26
        targetSdk = 34
        versionCode = 1
        versionName = "0.1.0.dev0"
        resValue("string", "executorch_version", libs.versions.executorch.get())
        ndk {
            abiFilters += listOf("arm64-v8a", "x86_64")
        }
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }
}

kotlin {
    compilerOptions {
        jvmTarget.set(JvmTarget.JVM_1_8)
        allWarningsAsErrors.set(true)
    }
}

dependencies {
    implementation(project(":core"))
    implementation(project(":runners:onnxruntime"))
    implementation(project(":runners:tflite"))
    implementation(project(":runners:executorch"))
    testImplementation(libs.junit)
    testImplementation(libs.kotlin.test.junit)
}
