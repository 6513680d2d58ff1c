def thread(place, user):
    return []


def search(query, user, limit):
    return []


def waiting(user):
    return []
