"""Posts (岗位): who stands where today, and who takes over when he is away (AB角)."""
