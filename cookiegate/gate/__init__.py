"""3: what may leave with the response?"""
