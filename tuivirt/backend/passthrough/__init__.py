"""Host devices handed to domains and taken back: judged, planned, shown, carried out."""
