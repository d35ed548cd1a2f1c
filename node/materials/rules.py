"""Limits of the materials: sizes, pixels, pace and how long things are kept. All are parameters of a node."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MaterialRules:
    """What one node takes, keeps and sends; the section `[materials]` of node.toml."""

    upload_max: int = 25 * MIB
    """Bytes of a file as it is handed in."""
    photo_max: int = 4 * MIB
    """Bytes of a photo after it was drawn anew."""
    pdf_max: int = 10 * MIB
    pdf_pages: int = 300
    pixels_max: int = 64_000_000
    """Width times height as the header says, asked before anything is decoded."""
    edge_px: int = 3000
    """Longest side kept: A4 at 250 dots per inch."""
    files_max: int = 60
    """Files of one case: their names, hashes and keys must fit into one event."""
    check_s: float = 30.0
    """How long looking at one file may take."""
    checks_at_once: int = 2
    rate_bytes_s: int = 1 * MIB
    """Bytes of blobs sent a second at most: materials never crowd out the case's own steps."""
    window_max: int = 768 * 1024
    """Bytes asked for at a time at most; the lane begins lower and follows the line."""
    fetch_at_once: int = 3
    carried_max: int = 32 * MIB
    """Bytes of materials in one file carried by hand (摆渡); the rest goes into further files."""
    ask_again_first_s: float = 20.0
    ask_again_last_s: float = 1800.0
    free_min: int = 512 * MIB
    """Nothing is fetched while the disk has less room."""
    draft_days: int = 14
    """Civil days after which what was collected and never filed is deleted."""
    id_days: int = 90
    """Civil days after delivery (or the end of the case) when pictures of identity papers are deleted."""
    case_years: int = 30
    """Years after the end of a case when its other materials are deleted."""
