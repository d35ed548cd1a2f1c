"""What people see (页面): HTML drawn on the server, readable without script, light enough for a bad line.

    render.py    Pages: templates, static files, headers; answer_page(), answer_live()
    page.py      Page: the frame around every page
    views/       what each page may show (frozen dataclasses)
    screens.py   one function per page: xxx_page(page, view) -> str; xxx_live(page, view) -> Live
    links.py     the addresses
    words.py     how values are written; icons.py, charts.py, qr.py draw

One rule: pages know views, never rows. A route reads, fills a view, and calls one function of `screens`.
"""
