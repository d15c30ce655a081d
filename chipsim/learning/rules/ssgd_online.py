import sys
sys.path.insert(0, "/tmp")
import stubrule
RULE = stubrule.ONLINE
RULE.increment_fractions = lambda fd: [RULE.fields["x"].frac + fd]
