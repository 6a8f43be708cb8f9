// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A complex number: roots and logarithms of what is negative have values too.
struct ComplexNumber: Sendable {
  var real: Double
  var imaginary = 0.0

  var magnitude: Double { hypot(real, imaginary) }

  static func + (a: Self, b: Self) -> Self {
    Self(real: a.real + b.real, imaginary: a.imaginary + b.imaginary)
  }

  static prefix func - (a: Self) -> Self { Self(real: -a.real, imaginary: -a.imaginary) }

  static func - (a: Self, b: Self) -> Self { a + -b }

  static func * (a: Self, b: Self) -> Self {
    Self(
      real: a.real * b.real - a.imaginary * b.imaginary,
      imaginary: a.real * b.imaginary + a.imaginary * b.real)
  }

  static func / (a: Self, b: Self) -> Self {
    if b.imaginary == 0 { return Self(real: a.real / b.real, imaginary: a.imaginary / b.real) }
    let square = b.real * b.real + b.imaginary * b.imaginary
    let product = a * Self(real: b.real, imaginary: -b.imaginary)
    return Self(real: product.real / square, imaginary: product.imaginary / square)
  }

  /// The principal value of e^z.
  var exponential: Self {
    let length = exp(real)
    return imaginary == 0
      ? Self(real: length)
      : Self(real: length * cos(imaginary), imaginary: length * sin(imaginary))
  }

  /// The principal value of ln z.
  var logarithm: Self {
    imaginary == 0 && real > 0
      ? Self(real: log(real)) : Self(real: log(magnitude), imaginary: atan2(imaginary, real))
  }

  /// The principal value of z to the power `other`; whole powers by multiplication.
  func power(_ other: Self) -> Self {
    if other.imaginary == 0, other.real == other.real.rounded(), abs(other.real) <= 64 {
      let product = (0..<Int(abs(other.real))).reduce(Self(real: 1)) { result, _ in result * self }
      return other.real < 0 ? Self(real: 1) / product : product
    }
    if imaginary == 0, real > 0, other.imaginary == 0 { return Self(real: pow(real, other.real)) }
    return magnitude == 0 ? Self(real: 0) : (logarithm * other).exponential
  }
}

extension ComplexNumber {
  private static let unit = ComplexNumber(real: 0, imaginary: 1)

  /// sin z, through the exponential where z is not real.
  var sine: Self {
    if imaginary == 0 { return Self(real: sin(real)) }
    let turned = Self.unit * self
    return (turned.exponential - (-turned).exponential) / Self(real: 0, imaginary: 2)
  }

  /// cos z.
  var cosine: Self {
    if imaginary == 0 { return Self(real: cos(real)) }
    let turned = Self.unit * self
    return (turned.exponential + (-turned).exponential) / Self(real: 2)
  }

  /// Γ(z + 1) of a real number; nothing else has a factorial here.
  var factorial: Self { Self(real: imaginary == 0 ? tgamma(real + 1) : .nan) }

  /// The number of ways to choose `count` things, by Γ.
  func choosing(_ count: Self) -> Self {
    factorial / (count.factorial * (self - count).factorial)
  }

  /// The value of the function of one number that is written so; nil for names that are none of these.
  func applying(_ name: String) -> Self? {
    let one = Self(real: 1)
    switch name {
    case "exp": return exponential
    case "ln": return logarithm
    case "sin": return sine
    case "cos": return cosine
    case "tan": return sine / cosine
    case "cot": return cosine / sine
    case "sec": return one / cosine
    case "csc": return one / sine
    case "abs": return Self(real: magnitude)
    case "floor", "ceil":
      guard imaginary == 0 else { return Self(real: .nan) }
      return Self(real: real.rounded(name == "floor" ? .down : .up))
    default: return nil
    }
  }
}
