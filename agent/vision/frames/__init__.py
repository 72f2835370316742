"""What a camera's frames say as pictures, whoever stands there."""
