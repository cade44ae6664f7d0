"""Replicated data: one copy after another, by quorums, or at many masters.
First ask who may write. With one primary the questions are when it answers, and what it still does when another one
has taken its place; how far its copies are behind, and who notices. With quorums they are which sets meet, and which
only look as if they did. With many masters they are which of two writes came first, which a clock on the wall does
not know; which were concurrent; and what a merge loses. Everywhere there is one choice: to wait for others before the
answer, or to live with what an answer was worth that came at once.
"""
