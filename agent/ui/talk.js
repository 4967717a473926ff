// Body of a function (element, trigger): clicks in the conversation become events for Python.
element.addEventListener('click', (event) => {
  const chip = event.target.closest('.cr-cite');
  if (chip) {
    document.querySelectorAll('.cr-cite.cr-on').forEach((other) => other.classList.remove('cr-on'));
    chip.classList.add('cr-on');
    trigger('click', { turn: Number(chip.dataset.turn), evidence: Number(chip.dataset.evidence) });
  }
  const example = event.target.closest('.cr-example');
  if (example) trigger('select', { question: example.dataset.question });
});
// Enter that ends the composition of a Chinese word must not send the question.
if (!window.chartroomComposes) {
  window.chartroomComposes = true;
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.isComposing) event.stopImmediatePropagation();
  }, true);
  // A click into the patient picker selects what stands there, so that typing searches anew.
  document.addEventListener('click', (event) => {
    if (event.target.matches('.cr-who input')) setTimeout(() => event.target.select());
  }, true);
}
