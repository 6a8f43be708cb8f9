// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if Macros
  import SwiftDiagnostics
  import SwiftSyntax
  import SwiftSyntaxMacros

  /// A sentence to somebody whose source cannot be understood.
  struct MacroRefusal: DiagnosticMessage {
    let message: String
    var severity: DiagnosticSeverity { .error }
    var diagnosticID: MessageID { MessageID(domain: "Facet", id: "refusal") }

    /// Shows `message` at `node`.
    static func diagnose(
      _ message: String, at node: some SyntaxProtocol, in context: some MacroExpansionContext
    ) {
      context.diagnose(Diagnostic(node: Syntax(node), message: MacroRefusal(message: message)))
    }
  }
#endif
