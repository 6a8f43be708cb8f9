// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension ChatFormat {
  /// The format as a Jinja template, for files that other programs read: a model that was taught to
  /// converse says so by it.
  ///
  /// Only of formats made of control tokens, which a base model can be taught; nil of the others.
  public var template: String? {
    switch self {
    case .gemma:
      // A system text stands before what the user says first.
      #"""
      {{ bos_token }}{% if messages[0]['role'] == 'system' %}\#
      {% set first = messages[0]['content'] + '\n\n' %}{% set turns = messages[1:] %}\#
      {% else %}{% set first = '' %}{% set turns = messages %}{% endif %}\#
      {% for turn in turns %}\#
      {{ '<start_of_turn>' + ('model' if turn['role'] == 'assistant' else turn['role']) + '\n' }}\#
      {{ (first if loop.first else '') + turn['content'] | trim + '<end_of_turn>\n' }}{% endfor %}\#
      {% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}
      """#
    case .chatML:
      #"""
      {% for turn in messages %}\#
      {{ '<|im_start|>' + turn['role'] + '\n' + turn['content'] + '<|im_end|>\n' }}{% endfor %}\#
      {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}
      """#
    case .gemma4, .llama2, .mistral, .mistralV3, .smolLM2: nil
    }
  }

  /// The formats that have a ``template``.
  public static var teachable: [ChatFormat] { allCases.filter { $0.template != nil } }
}
