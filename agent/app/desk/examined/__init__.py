"""What the doctor looks at itself, as facts: pictures, the broker, the board and its clock."""
