// Body of a function (element, trigger): closing an evidence card goes back to the citation it came from.
const close = () => {
  const chip = document.querySelector('.cr-cite.cr-on');
  trigger('click', {});
  if (chip) { chip.classList.remove('cr-on'); chip.focus(); }
};
element.addEventListener('click', (event) => { if (event.target.closest('.cr-close')) close(); });
element.addEventListener('keydown', (event) => { if (event.key === 'Escape') close(); });
