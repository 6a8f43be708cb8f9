// swift-tools-version: 6.2
// Facet: Gemma, end to end, in Swift. Licensed under Apache-2.0.

import CompilerPluginSupport
import PackageDescription

/// Every Swift target is held to the same rules: Swift 6, strict memory safety, no warnings.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Returning spans from our own types needs this; see docs/adr/0003-spans-and-lifetimes.md.
let lifetimes: [SwiftSetting] = strict + [.enableExperimentalFeature("Lifetimes")]

/// What only the programs need, and what only the macros do.
///
/// A package that depends on Facet with `traits: []` fetches nothing else; see docs/adr/0011-traits.md.
let programs: TargetDependencyCondition? = .when(traits: ["Programs"])
let macros: TargetDependencyCondition? = .when(traits: ["Macros"])

let package = Package(
  name: "facet",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "facet", targets: ["FacetCLI"]),
    .executable(name: "facet-serve", targets: ["FacetServe"]),
    .library(name: "Facet", targets: ["Facet"]),
  ],
  traits: [
    // One, not two: SwiftPM passes several in an order that changes, and then compiles everything anew.
    .default(enabledTraits: ["Programs"]),
    .trait(name: "Programs", description: "The programs facet and facet-serve."),
    .trait(name: "Macros", description: "The macros @Generable and @Guide, by swift-syntax."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    // What the server is made of; the command and the library build none of it.
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1",
      traits: ["FullFoundation"]),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    // What macros are written with.
    .package(url: "https://github.com/swiftlang/swift-syntax", "602.0.0"..<"604.0.0"),
  ],
  targets: [
    // The engine: depends on nothing but the toolchain.
    .target(
      name: "CFacetKernels",
      exclude: ["README.md"],
      cSettings: [.treatAllWarnings(as: .error)]),
    .target(name: "FacetTensor", dependencies: ["CFacetKernels"], swiftSettings: lifetimes),
    .target(name: "FacetTokenizer", swiftSettings: strict),
    .target(name: "FacetJSON", swiftSettings: strict),
    .target(
      name: "FacetCheckpoint", dependencies: ["FacetTensor", "FacetJSON"], swiftSettings: lifetimes),
    // Apart, and not above the model: it compiles while the tensors and the readers of files do.
    .target(
      name: "FacetGuides", dependencies: ["FacetTokenizer", "FacetJSON"], swiftSettings: strict),
    .target(
      name: "FacetModel", dependencies: ["FacetTensor", "FacetCheckpoint"], swiftSettings: strict),
    .target(
      name: "FacetGeneration", dependencies: ["FacetModel", "FacetGuides"],
      swiftSettings: strict),

    // Around the engine.
    .target(name: "FacetStore", dependencies: ["FacetCheckpoint"], swiftSettings: strict),
    .target(
      name: "Facet",
      dependencies: [
        "FacetStore", "FacetGeneration", .target(name: "FacetMacros", condition: macros),
      ],
      swiftSettings: strict),
    .macro(
      name: "FacetMacros",
      dependencies: [
        .product(name: "SwiftSyntax", package: "swift-syntax", condition: macros),
        .product(name: "SwiftSyntaxBuilder", package: "swift-syntax", condition: macros),
        .product(name: "SwiftSyntaxMacros", package: "swift-syntax", condition: macros),
        .product(name: "SwiftDiagnostics", package: "swift-syntax", condition: macros),
        .product(name: "SwiftCompilerPlugin", package: "swift-syntax", condition: macros),
      ],
      swiftSettings: strict),
    .target(
      name: "FacetTraining",
      dependencies: [
        "FacetModel", "FacetTokenizer", "FacetCheckpoint",
        .product(name: "Yams", package: "Yams", condition: programs),
      ],
      swiftSettings: strict),
    // The definitions of tasks are part of the binary: it can be moved.
    .target(
      name: "FacetEvaluation", dependencies: ["FacetGeneration"],
      resources: [
        .embedInCode("Programs/sandbox.py"),
        .embedInCode("Scoring/Models/moderation-ngram-1.bin"),
        .embedInCode("Tasks/agieval_en.json"),
        .embedInCode("Tasks/agieval_math.json"),
        .embedInCode("Tasks/arc_challenge.json"),
        .embedInCode("Tasks/arc_easy.json"),
        .embedInCode("Tasks/bbh_cot_fewshot.json"),
        .embedInCode("Tasks/bbq.json"),
        .embedInCode("Tasks/bold.json"),
        .embedInCode("Tasks/boolq.json"),
        .embedInCode("Tasks/commonsense_qa.json"),
        .embedInCode("Tasks/crows_pairs_english.json"),
        .embedInCode("Tasks/gsm8k.json"),
        .embedInCode("Tasks/gsm8k_cot.json"),
        .embedInCode("Tasks/gsm8k_cot_self_consistency.json"),
        .embedInCode("Tasks/hellaswag.json"),
        .embedInCode("Tasks/hellaswag_ctx.json"),
        .embedInCode("Tasks/humaneval.json"),
        .embedInCode("Tasks/mbpp.json"),
        .embedInCode("Tasks/minerva_math.json"),
        .embedInCode("Tasks/mmlu.json"),
        .embedInCode("Tasks/nq_open.json"),
        .embedInCode("Tasks/openbookqa.json"),
        .embedInCode("Tasks/piqa.json"),
        .embedInCode("Tasks/realtoxicityprompts.json"),
        .embedInCode("Tasks/social_iqa.json"),
        .embedInCode("Tasks/toxigen.json"),
        .embedInCode("Tasks/triviaqa.json"),
        .embedInCode("Tasks/truthfulqa_mc1.json"),
        .embedInCode("Tasks/truthfulqa_mc2.json"),
        .embedInCode("Tasks/wikitext.json"),
        .embedInCode("Tasks/winobias_1_2.json"),
        .embedInCode("Tasks/winobias_2_2.json"),
        .embedInCode("Tasks/winogender_all.json"),
        .embedInCode("Tasks/winogrande.json"),
      ],
      swiftSettings: strict),
    .target(
      name: "FacetServer",
      dependencies: [
        "Facet",
        .product(name: "Hummingbird", package: "hummingbird", condition: programs),
        .product(name: "HummingbirdCore", package: "hummingbird", condition: programs),
        .product(name: "HummingbirdTLS", package: "hummingbird", condition: programs),
        .product(name: "HTTPTypes", package: "swift-http-types", condition: programs),
        .product(name: "Logging", package: "swift-log", condition: programs),
        .product(name: "NIOCore", package: "swift-nio", condition: programs),
        .product(name: "NIOHTTP1", package: "swift-nio", condition: programs),
        .product(name: "NIOSSL", package: "swift-nio-ssl", condition: programs),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: programs),
        .product(name: "UnixSignals", package: "swift-service-lifecycle", condition: programs),
        .product(name: "Yams", package: "Yams", condition: programs),
      ],
      resources: [.embedInCode("Page/page.html")], swiftSettings: strict),
    .executableTarget(
      name: "FacetServe",
      dependencies: [
        "FacetServer",
        .product(name: "ArgumentParser", package: "swift-argument-parser", condition: programs),
        .product(name: "Logging", package: "swift-log", condition: programs),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "FacetCLI",
      dependencies: [
        "Facet", "FacetStore", "FacetTraining", "FacetEvaluation",
        .product(name: "ArgumentParser", package: "swift-argument-parser", condition: programs),
      ],
      swiftSettings: strict),

    // Tests mirror Sources.
    .target(
      name: "FacetTestSupport", path: "Tests/FacetTestSupport", swiftSettings: strict),
    // A process for the tests of the store to kill.
    .executableTarget(
      name: "StoreKillProbe", dependencies: ["FacetStore"], path: "Tests/StoreKillProbe",
      swiftSettings: strict),
    // Many sessions at once, for the thread sanitizer (scripts/check-threads).
    .executableTarget(
      name: "EngineStressProbe", dependencies: ["Facet", "FacetTestSupport"],
      path: "Tests/EngineStressProbe", swiftSettings: strict),
    .testTarget(
      name: "FacetTensorTests", dependencies: ["FacetTensor", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetTokenizerTests", dependencies: ["FacetTokenizer", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetJSONTests", dependencies: ["FacetJSON", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetGuidesTests", dependencies: ["FacetGuides", "FacetTensor", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetCheckpointTests", dependencies: ["FacetCheckpoint", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetModelTests", dependencies: ["FacetModel", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetGenerationTests", dependencies: ["FacetGeneration", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetTrainingTests", dependencies: ["FacetTraining", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetEvaluationTests", dependencies: ["FacetEvaluation", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetStoreTests", dependencies: ["FacetStore", "FacetTestSupport", "StoreKillProbe"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetTests", dependencies: ["Facet", "FacetTestSupport"], swiftSettings: strict),
    // Empty without the trait; scripts/check-macros runs them. All its dependencies on macros are conditional: an
    // unconditional one would make SwiftPM build every test, and all that tests need, a second time for tools.
    .testTarget(
      name: "FacetMacrosTests",
      dependencies: [
        "Facet", "FacetTestSupport", .target(name: "FacetMacros", condition: macros),
        .product(
          name: "SwiftSyntaxMacrosGenericTestSupport", package: "swift-syntax", condition: macros),
      ],
      swiftSettings: strict),
    // The code of the tutorial.
    .testTarget(
      name: "TutorialTests", dependencies: ["Facet", "FacetTestSupport"],
      path: "Examples/Tutorial", swiftSettings: strict),
    .testTarget(
      name: "FacetServerTests",
      dependencies: [
        "FacetServer", "FacetTestSupport",
        .product(name: "Hummingbird", package: "hummingbird", condition: programs),
        .product(name: "HummingbirdCore", package: "hummingbird", condition: programs),
        .product(name: "HTTPTypes", package: "swift-http-types", condition: programs),
        .product(name: "NIOCore", package: "swift-nio", condition: programs),
        .product(name: "NIOEmbedded", package: "swift-nio", condition: programs),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "FacetServeTests", dependencies: ["FacetServe", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "FacetCLITests", dependencies: ["FacetCLI", "FacetTestSupport"],
      swiftSettings: strict),
    .testTarget(name: "ArchitectureTests", swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests", dependencies: ["Facet", "FacetTraining", "FacetTestSupport"],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)

// What the tests of the macros need and no more (scripts/check-macros): `swift test` builds every test there is, and with
// the trait on, whatever a test depends on is built for macros' tools as well.
if Context.environment["FACET_TESTS"] == "macros" {
  let needed: Set<String> = [
    "CFacetKernels", "FacetTensor", "FacetTokenizer", "FacetJSON", "FacetCheckpoint", "FacetGuides",
    "FacetModel", "FacetGeneration", "FacetStore", "Facet", "FacetMacros", "FacetTestSupport",
    "FacetMacrosTests",
  ]
  package.targets.removeAll { !needed.contains($0.name) }
  package.products.removeAll { $0.name != "Facet" }
}
