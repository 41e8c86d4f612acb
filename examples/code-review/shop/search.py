import sqlite3


def search(db_path, term, sort):
    db = sqlite3.connect(db_path)
    rows = db.execute(
        "SELECT id, name, price FROM products "
        "WHERE name LIKE '%" + term + "%' ORDER BY " + sort
    ).fetchall()
    found = []
    for row in rows:
        if row not in found:
            found.append(row)
    return found
