"""What the community keeps of its people on paper and here: archives, codes, records."""
