"""What is signed: by the community for its kiosks, and by a kiosk for its community."""
