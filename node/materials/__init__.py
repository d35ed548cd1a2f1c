"""Materials (材料): photos and files from the counter to whoever handles the case.

`intake` believes nothing but content and draws every photo anew; `store` keeps ciphertext in files named by
hash; `drafts` keeps what is being collected until the case is filed; `lane` fetches what a party lacks, piece by
piece, beside the case's own steps. One rule: plain bytes are only in memory and on the screen of whoever may look.
"""
