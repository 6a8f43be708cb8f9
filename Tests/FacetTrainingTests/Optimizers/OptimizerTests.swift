// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetModel
import FacetTensor
import FacetTraining
import Foundation
import Testing

@Suite("Optimizer")
struct OptimizerTests {
  /// What PyTorch's optimizers make of the fixture (Tests/Goldens/PROVENANCE.md).
  struct Golden: Decodable {
    let norms: [Double]
    let values: [String: [String: [Float]]]
  }

  static func backend(threads: Int = 2, _ set: InstructionSet = .best) throws -> CPUBackend {
    try #require(CPUBackend(threads: threads, instructionSet: set))
  }

  @Test(
    "AdamW, SGD and Adafactor take PyTorch's steps on clipped gradients",
    arguments: [OptimizerKind.adamw, .sgd, .adafactor], InstructionSet.available)
  func goldens(kind: OptimizerKind, set: InstructionSet) throws {
    let url = URL(fileURLWithPath: OptimizerFixture.golden("optimizers/steps.json"))
    let all = try JSONDecoder().decode([String: Golden].self, from: Data(contentsOf: url))
    let golden = try #require(all[kind.rawValue])
    let parameters = try OptimizerFixture.gradients().parameters
    let optimizer = try Optimizer(
      OptimizerSettings(kind: kind, beta2: 0.95, weightDecay: 0.1), parameters: parameters,
      backend: Self.backend(threads: 2, set))
    for number in 1...10 {
      OptimizerFixture.write(step: number, parameters)
      let norm = try optimizer.step(learningRate: 0.02, maxNorm: 3)
      #expect(abs(norm - golden.norms[number - 1]) <= 1e-6 * norm)
      guard let values = golden.values["\(number)"] else { continue }
      for parameter in parameters {
        let expected = try #require(values[parameter.part.rawValue])
        let found = parameter.value.floats()
        #expect(found.count == expected.count)
        let distance = OptimizerFixture.distance(found, expected)
        #expect(distance <= 2e-6, "\(parameter.name), step \(number)")
      }
    }
  }

  @Test("Lion takes the steps of its algorithm in double precision")
  func lion() throws {
    let parameters = try OptimizerFixture.gradients().parameters
    let optimizer = try Optimizer(
      OptimizerSettings(kind: .lion, beta1: 0.9, beta2: 0.99, weightDecay: 0.1),
      parameters: parameters, backend: Self.backend())
    var values = parameters.map { $0.value.floats().map(Double.init) }
    var moments = values.map { $0.map { _ in 0.0 } }
    for number in 1...10 {
      OptimizerFixture.write(step: number, parameters)
      _ = try optimizer.step(learningRate: 0.01, maxNorm: nil)
      for (index, parameter) in parameters.enumerated() {
        let decay = parameter.part == .magnitude ? 0 : 0.1
        for (place, gradient) in parameter.gradient.floats().enumerated() {
          let (g, m) = (Double(gradient), moments[index][place])
          let way = 0.9 * m + 0.1 * g
          values[index][place] -=
            0.01 * ((way > 0 ? 1 : way < 0 ? -1 : 0) + decay * values[index][place])
          moments[index][place] = 0.99 * m + 0.01 * g
        }
      }
    }
    for (parameter, expected) in zip(parameters, values) {
      #expect(
        OptimizerFixture.distance(parameter.value.floats(), expected.map { Float($0) }) <= 1e-5)
    }
  }

  /// Gradients of uneven size with a way of their own, some of which are never there.
  private static func write(uneven number: Int, _ parameters: [Parameter]) {
    for (index, parameter) in parameters.enumerated() {
      let count = parameter.gradient.count
      let ways = OptimizerFixture.noise(7000 + index, count)
      let noise = OptimizerFixture.noise(100 * number + index, count)
      parameter.gradient.write(
        (0..<count).map { place in
          place % 11 == 3 ? 0 : (0.5 * ways[place] + noise[place]) * exp(-Float(place % 4))
        })
    }
  }

  @Test("moments of 8 bits go AdamW's way within 5 % over 50 steps, in a quarter of its memory")
  func eightBits() throws {
    var found: [[Float]] = []
    var bytes: [Int] = []
    let start = try OptimizerFixture.gradients(rank: 8, width: 1000, height: 700)
      .parameters.map { $0.value.floats() }
    for kind in [OptimizerKind.adamw, .adamw8bit] {
      let parameters = try OptimizerFixture.gradients(rank: 8, width: 1000, height: 700).parameters
      let optimizer = try Optimizer(
        OptimizerSettings(kind: kind, weightDecay: 0.01), parameters: parameters,
        backend: Self.backend())
      for number in 1...50 {
        Self.write(uneven: number, parameters)
        _ = try optimizer.step(learningRate: 1e-3, maxNorm: 10)
      }
      found += parameters.map { $0.value.floats() }
      bytes.append(optimizer.byteCount)
    }
    for index in start.indices {
      let way = OptimizerFixture.distance(found[index], start[index])
      let apart = OptimizerFixture.distance(found[index], found[index + start.count])
      #expect(apart <= 0.05 * way, "parameter \(index): \(apart) apart after \(way)")
    }
    #expect(found[2] == found[5])  // magnitudes: too few to round
    #expect(Double(bytes[1]) < 0.32 * Double(bytes[0]), "\(bytes)")
  }

  @Test("the number of threads changes no bit", arguments: OptimizerKind.allCases)
  func threads(kind: OptimizerKind) throws {
    var found: [[UInt32]] = []
    for threads in [1, 2, 3] {
      let parameters = try OptimizerFixture.gradients(rank: 8, width: 9001, height: 5003).parameters
      let optimizer = try Optimizer(
        OptimizerSettings(kind: kind, weightDecay: 0.1), parameters: parameters,
        backend: Self.backend(threads: threads))
      for number in 1...2 {
        OptimizerFixture.write(step: number, parameters)
        _ = try optimizer.step(learningRate: 0.01, maxNorm: 1)
      }
      found.append(OptimizerFixture.bits(parameters))
    }
    #expect(found[0] == found[1] && found[0] == found[2])
  }

  @Test("a restored optimizer goes on with the same bits", arguments: OptimizerKind.allCases)
  func restoring(kind: OptimizerKind) throws {
    let settings = OptimizerSettings(kind: kind, weightDecay: 0.1)
    let backend = try Self.backend()
    let parameters = try OptimizerFixture.gradients(width: 1000).parameters
    let optimizer = try Optimizer(settings, parameters: parameters, backend: backend)
    for number in 1...3 {
      OptimizerFixture.write(step: number, parameters)
      _ = try optimizer.step(learningRate: 0.01, maxNorm: 1)
    }
    let others = try OptimizerFixture.gradients(width: 1000).parameters
    for (other, parameter) in zip(others, parameters) {
      other.value.overwrite(with: parameter.value)
    }
    let state = try optimizer.state().map { ($0.name, try OptimizerFixture.copy($0.tensor)) }
    #expect(Set(state.map(\.0)).count == state.count)
    let other = try Optimizer(settings, parameters: others, backend: backend)
    try other.restore(steps: optimizer.steps, Dictionary(uniqueKeysWithValues: state))
    for number in 4...6 {
      OptimizerFixture.write(step: number, parameters)
      OptimizerFixture.write(step: number, others)
      _ = try optimizer.step(learningRate: 0.01, maxNorm: 1)
      _ = try other.step(learningRate: 0.01, maxNorm: 1)
    }
    #expect(other.steps == 6)
    #expect(OptimizerFixture.bits(parameters) == OptimizerFixture.bits(others))
  }

  @Test("gradients stay as they are, and a norm that is no number changes nothing")
  func norms() throws {
    let parameters = try OptimizerFixture.gradients().parameters
    let optimizer = try Optimizer(
      OptimizerSettings(weightDecay: 0.1), parameters: parameters, backend: Self.backend())
    OptimizerFixture.write(step: 1, parameters)
    let gradient = parameters[0].gradient.floats()
    _ = try optimizer.step(learningRate: 0.01, maxNorm: 0.1)
    #expect(parameters[0].gradient.floats() == gradient)
    let before = OptimizerFixture.bits(parameters)
    for wrong in [Float.nan, .infinity] {
      parameters[1].gradient.fill(wrong)
      let norm = try optimizer.step(learningRate: 0.01, maxNorm: 1)
      #expect(!norm.isFinite)
    }
    #expect(optimizer.steps == 1 && OptimizerFixture.bits(parameters) == before)
  }
}
