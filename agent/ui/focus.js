() => {
  // The card arrives some frames after the event is over; then its highlighted place comes into view.
  const chip = document.querySelector('.cr-cite.cr-on');
  if (!chip) return;
  const key = `${chip.dataset.turn}-${chip.dataset.evidence}`;
  let frames = 0;
  const look = () => {
    const card = document.querySelector(`.cr-card[data-key="${key}"]`);
    if (!card) { if (frames++ < 120) requestAnimationFrame(look); return; }
    card.focus({ preventScroll: true });
    (card.querySelector('mark') || card).scrollIntoView({ block: 'center' });
  };
  look();
}
