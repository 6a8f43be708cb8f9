// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// All ways to write the signs and names of the grammar.
extension LaTeXToken {
  static let longestLiteral = literals.keys.map { PythonText.count($0) }.max() ?? 0

  /// What stands for nothing.
  static let skipped: Set<String> = [
    "\\,", "\\thinspace", "\\:", "\\medspace", "\\;", "\\thickspace", "\\quad", "\\qquad", "\\!",
    "\\negthinspace", "\\negmedspace", "\\negthickspace", "\\$", "\\vrule", "\\vcenter", "\\vbox",
    "\\vskip", "\\vspace", "\\hfil",
  ]

  /// Commands whose braces hold text, or a letter with a mark.
  static let accents: Set<String> = words(
    """
    acute bar overline breve check widecheck dot ddot grave hat tilde widetilde vec overrightarrow bm \
    boldsymbol text textit textbf textnormal mathbb mathbin mathbf mathcal mathclap mathclose \
    mathellipsis mathfrak mathinner mathit mathnormal mathop mathopen mathord mathpunct mathrel \
    mathring mathrlap mathrm mathscr mathsf mathsterling mathtt mbox
    """)

  static let literals: [String: Kind] = {
    var table: [String: Kind] = [:]
    for (name, forms) in signs {
      for form in words(forms) { table[form] = .sign(name) }
    }
    for name in words(functions) { table["\\" + name] = .function(name) }
    table["\\Gamma"] = .function("gamma")
    for name in words("gcd lcm max min") { table["\\" + name] = .functionOfSeveral(name) }
    for name in words(names) { table[name] = .word }
    for letter in words(greek) { table[letter] = .greek }
    for symbol in words(others) { table["\\" + symbol] = .other }
    for symbol in words("ℵ ℶ ℷ ℸ") { table[symbol] = .other }
    table["\\exponentialE"] = .e
    let sets: [(String, String, MathObject.NumberSet)] = [
      ("N", "ℕ", .naturals), ("Z", "ℤ", .integers), ("Q", "ℚ", .rationals), ("R", "ℝ", .reals),
      ("C", "ℂ", .complexes),
    ]
    for (letter, sign, set) in sets {
      table["\\mathbb{\(letter)}"] = .numberSet(set)
      table[sign] = .numberSet(set)
    }
    return table
  }()

  private static func words(_ text: String) -> Set<String> {
    Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
  }

  /// By one name each; those that no rule of ours takes are under `unread`.
  private static let signs: [(String, String)] = [
    ("+", "+ ∔ ⊕ ⊞"), ("-", "- − ∸"),
    ("*", "* × ⋅ ⋄ ⊡ ∗ ⋆ ∘ ∙ ⊗ ⊠ ⋈ ⋉ ⋊ \\times \\cdot"), ("/", "/ ÷ ∕ \\over \\div"),
    (":", ":"), ("mod", "\\mod"), ("!", "!"), ("_", "_"), ("^", "^"), (",", ","), (";", ";"),
    ("(", "("), (")", ")"), ("\\(", "\\("), ("\\)", "\\)"), ("lgroup", "\\lgroup"),
    ("rgroup", "\\rgroup"), ("{", "{"), ("}", "}"), ("\\{", "\\{"), ("\\}", "\\}"),
    ("lbrace", "\\lbrace"), ("rbrace", "\\rbrace"), ("[", "["), ("]", "]"), ("lbrack", "\\lbrack"),
    ("rbrack", "\\rbrack"), ("phantom", "\\phantom"), ("boxed", "\\boxed"), ("|", "|"),
    ("lvert", "\\lvert"), ("rvert", "\\rvert"), ("vert", "\\vert"), ("lfloor", "\\lfloor"),
    ("rfloor", "\\rfloor"), ("llcorner", "\\llcorner"), ("lrcorner", "\\lrcorner"),
    ("lceil", "\\lceil"), ("rceil", "\\rceil"), ("ulcorner", "\\ulcorner"),
    ("urcorner", "\\urcorner"), ("sqrt", "\\sqrt"), ("frac", "\\frac \\dfrac \\tfrac \\cfrac"),
    ("binom", "\\binom \\tbinom \\dbinom"), ("choose", "\\choose"),
    ("operatorname", "\\operatorname"), ("infinity", "\\infty \\$\\infty"),
    ("matrix", "\\begin{matrix} \\begin{pmatrix} \\begin{bmatrix}"),
    ("endmatrix", "\\end{matrix} \\end{pmatrix} \\end{bmatrix}"), ("endarray", "\\end{array}"),
    ("det", "\\begin{vmatrix}"), ("enddet", "\\end{vmatrix}"), ("&", "&"), ("\\\\", "\\\\"),
    ("transpose", "^T ^{T} '"),
    (
      "degree",
      "^\\circ ^\\degree ^\\circle ^° ^{\\circ} ^{\\degree} ^{\\circle} ^{°}"
    ),
    ("in", "\\in"), ("=", "= ≡ ≣ ≟ ≎ ≏ ≐ ≑ ≒ ≓ ≔ ≕ ≖ ≗"), ("==", "== \\equiv"),
    ("approx", "~= ≈ ≊ ≋ ≃ ≅ \\approx"), ("<", "< ≪ ≺ ⋖ \\lt"),
    ("<=", "\\leq \\le \\leqslant ≤ ≦ ≲ ≾ <="), (">", "> ≫ ≻ ⋗ \\gt"),
    (">=", "\\geq \\ge \\geqslant ≥ ≧ ≳ ≿ >="),
    ("!=", "!= !== \\ne \\neq \\not\\equiv ≠ ≁ ≄ ≇ ≉ ≢"), ("cup", "\\cup ∪"), ("cap", "\\cap ∩"),
    ("setminus", "\\setminus ∖"), ("pm", "\\pm ± ∓ \\mp"),
    ("empty", "\\emptyset ∅ \\{\\} \\lbrace\\rbrace"),
    (
      "unread",
      """
      \\| \\langle \\rangle \\lim \\to \\rightarrow \\Rightarrow \\longrightarrow \\Longrightarrow \\int \
      \\sum \\prod \\mathit . \\xrightarrow \\xRightarrow <-> <=> \\leftrightarrow \\Leftrightarrow \
      \\partial \\infty% \\infty\\% \\mathbb{P} ℙ \\supseteq ⊇ \\subseteq ⊆ \\notin ∉ \\det \\begin \\end
      """
    ),
  ]

  private static let functions = """
    log ln exp sin cos tan csc sec cot arcsin arccos arctan arccsc arcsec arccot sinh cosh tanh \
    arsinh arcosh artanh arcsinh arccosh arctanh floor ceil gamma
    """

  private static let names = """
    arsinh arcsinh arcosh arccosh artanh arctanh gcd lcm floor ceil eye zeros ones cols rows diag norm \
    rank trace tr rref hstack vstack orth ortho orthogonal orthogonalize nullspace eig eigen \
    diagonalize eigenvals eigenvalues eigenvects eigenvectors svd SVD matrix pmatrix bmatrix vmatrix
    """

  private static let greek = """
    \\alpha α \\beta β γ Γ \\delta δ \\Delta Δ \\epsilon ε \\varepsilon ϵ \\zeta ζ \\eta η \\theta θ \
    \\Theta Θ \\vartheta ϑ \\iota ι \\kappa κ \\lambda λ \\Lambda Λ \\mu μ \\nu ν \\xi ξ \\Xi Ξ \
    \\omicron ο \\pi π \\Pi Π \\varpi ϖ \\rho ρ \\varrho ϱ \\sigma σ \\Sigma Σ \\varsigma ς \\tau τ \
    \\upsilon υ \\Upsilon Υ \\phi φ \\Phi Φ \\varphi ϕ \\chi χ \\psi ψ \\Psi Ψ \\omega ω \\Omega Ω
    """

  private static let others = """
    Bbbk wp nabla bigstar angle nexists diagdown measuredangle eth diagup sphericalangle clubsuit \
    varnothing Diamond complement diamondsuit imath Finv triangledown heartsuit jmath Game triangle \
    spadesuit ell hbar vartriangle hslash blacklozenge lozenge blacksquare mho blacktriangle sharp \
    prime Im flat square backprime Re natural surd circledS
    """

  /// The names of Greek letters that are written as themselves.
  static let greekNames: [String: String] = [
    "α": "alpha", "β": "beta", "γ": "gamma", "Γ": "Gamma", "δ": "delta", "Δ": "Delta",
    "ε": "epsilon", "ϵ": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta", "Θ": "Theta",
    "ϑ": "vartheta", "ι": "iota", "κ": "kappa", "λ": "lambda", "Λ": "Lambda", "μ": "mu", "ν": "nu",
    "ξ": "xi", "Ξ": "Xi", "ο": "omicron", "π": "pi", "Π": "Pi", "ϖ": "varpi", "ρ": "rho",
    "ϱ": "varrho", "σ": "sigma", "Σ": "Sigma", "ς": "varsigma", "τ": "tau", "υ": "upsilon",
    "Υ": "Upsilon", "φ": "phi", "Φ": "Phi", "ϕ": "varphi", "χ": "chi", "ψ": "psi", "Ψ": "Psi",
    "ω": "omega", "Ω": "Omega",
  ]
}
