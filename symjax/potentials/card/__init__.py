"""The law card of any calculator: which laws of a potential energy it obeys, measured by calling it."""

from symjax.potentials.card.card import LawCard as LawCard, Row as Row, law_card as law_card
