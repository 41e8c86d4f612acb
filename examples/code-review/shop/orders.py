import sqlite3

FLAG = True


def proc(db_path, d, x=None):
    db = sqlite3.connect(db_path)
    total = 0
    for item in d["items"]:
        price = db.execute("SELECT price FROM products WHERE id = ?", (item["id"],)).fetchone()[0]
        total += price * item["n"]
    if FLAG == True:
        if x is None:
            return total
        else:
            # 19% tax, or not
            return total * x
    return total - d.get("discount", 0)
