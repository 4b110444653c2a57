// Not run in CI; see settings.gradle.kts.

import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.kotlin.jvm)
}

java {
    sourceCompatibility = JavaVersion.VERSION_1_8
    targetCompatibility = JavaVersion.VERSION_1_8
}

kotlin {
    compilerOptions {
        jvmTarget.set(JvmTarget.JVM_1_8)
        allWarningsAsErrors.set(true)
    }
}

// Documents are read by the schemas of the Python package.
tasks.processResources {
    from(rootProject.file("../mobilebench/schema")) {
        include("*.json")
        into("mobilebench/schema")
    }
}

tasks.test {
    workingDir = rootProject.file("..")
    systemProperty("mobilebench.root", workingDir)
}

dependencies {
    implementation(libs.jackson.core)
    testImplementation(libs.junit)
    testImplementation(libs.kotlin.test.junit)
}
