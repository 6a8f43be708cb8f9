// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension ReferenceBackend {
  package func attentionBackward(
    _ pass: AttentionPass, settings: AttentionSettings, into gradients: AttentionInputs
  ) {
    var back = AttentionWayBack(pass, settings)
    for rows in pass.sequences {
      for row in rows {
        for head in 0..<settings.queryHeads { back.add(row: row, of: rows, head: head) }
      }
    }
    gradients.queries.write(back.dq.map { Float($0) })
    gradients.keys.write(back.dk.map { Float($0) })
    gradients.values.write(back.dv.map { Float($0) })
  }
}

/// Back through o_i = Σ_j p_ij v_j with p = softmax(s), s_ij = cap(scale · q_i·k_j), one query at a time.
private struct AttentionWayBack {
  private let q, k, v, dO: [Double]
  private let settings: AttentionSettings
  /// N·H and K·H.
  private let queryColumns, keyColumns: Int
  var dq, dk, dv: [Double]

  init(_ pass: AttentionPass, _ settings: AttentionSettings) {
    func doubles(_ tensor: Tensor) -> [Double] { tensor.floats().map(Double.init) }
    (q, k, v) = (
      doubles(pass.inputs.queries), doubles(pass.inputs.keys), doubles(pass.inputs.values)
    )
    dO = doubles(pass.outputGradient)
    self.settings = settings
    queryColumns = pass.inputs.queries.columns
    keyColumns = pass.inputs.keys.columns
    dq = q.map { _ in 0 }
    dk = k.map { _ in 0 }
    dv = v.map { _ in 0 }
  }

  mutating func add(row: Int, of rows: Range<Int>, head: Int) {
    let width = settings.headWidth
    let query = row * queryColumns + head * width
    let group = settings.queryHeads / (keyColumns / width)
    let first = settings.window.map { max(rows.lowerBound, row - $0 + 1) } ?? rows.lowerBound
    let keys = (first...row).map { $0 * keyColumns + head / group * width }

    func dot(_ x: [Double], _ i: Int, _ y: [Double], _ j: Int) -> Double {
      (0..<width).reduce(0) { $0 + x[i + $1] * y[j + $1] }
    }
    let scale = Double(settings.scale)
    let scores = keys.map { key in
      let score = scale * dot(q, query, k, key)
      return settings.softCap.map { Double($0) * tanh(score / Double($0)) } ?? score
    }
    let maximum = scores.max() ?? 0
    let exponentials = scores.map { exp($0 - maximum) }
    let sum = exponentials.reduce(0, +)
    let probabilities = exponentials.map { $0 / sum }

    // ds_j = p_j (dp_j - Σ p dp), dp_j = dO·v_j; and through the cap, whose slope is 1 - (s / cap)².
    let dp = keys.map { dot(dO, query, v, $0) }
    let mean = zip(probabilities, dp).reduce(0.0) { $0 + $1.0 * $1.1 }
    for (j, key) in keys.enumerated() {
      let ratio = settings.softCap.map { scores[j] / Double($0) } ?? 0
      let ds = probabilities[j] * (dp[j] - mean) * (1 - ratio * ratio) * scale
      for i in 0..<width {
        dv[key + i] += probabilities[j] * dO[query + i]
        dq[query + i] += ds * k[key + i]
        dk[key + i] += ds * q[query + i]
      }
    }
  }
}
