// Not run in CI; see settings.gradle.kts.

import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.library)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "mobilebench.executorch"
    compileSdk = 34
    defaultConfig {
        minSdk = 26
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }
    // fbjni has the classes of src/main/java, which stand in for it elsewhere.
    sourceSets["main"].java.setSrcDirs(listOf("src/main/kotlin"))
}

kotlin {
    compilerOptions {
        jvmTarget.set(JvmTarget.JVM_1_8)
        allWarningsAsErrors.set(true)
    }
}

dependencies {
    implementation(project(":core"))
    implementation(libs.executorch)
    implementation(libs.fbjni)
    testImplementation(libs.junit)
    testImplementation(libs.kotlin.test.junit)
}
