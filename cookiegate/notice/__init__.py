"""2: how do we ask and inform, without JavaScript?"""
