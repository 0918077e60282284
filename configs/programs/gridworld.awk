# Tabular Q-learning on a slippery grid, in POSIX awk:
#
#     awk -v seed=1 -v steps=4000 -v alpha=0.3 -f gridworld.awk
#
# From the lower left of a grid of 6 x 6 to the upper right; a step costs 1, the four holes in the middle cost 20 and
# lead back to the start. One move in five goes sideways. Writes results.csv, a row for each evaluation. Another awk has
# other random numbers.

BEGIN {
    srand(seed)
    size = 6; gamma = 0.95; epsilon = 0.2; slip = 0.2; limit = 60; episodes = 20
    dx[0] = 0; dy[0] = 1; dx[1] = 1; dy[1] = 0; dx[2] = 0; dy[2] = -1; dx[3] = -1; dy[3] = 0
    hole["2,2"]; hole["3,2"]; hole["2,3"]; hole["3,3"]
    print "step,value" > "results.csv"

    state = "0,0"; age = 0
    for (step = 1; step <= steps; step++) {
        action = rand() < epsilon ? int(4 * rand()) : greedy(state)
        move(state, action)
        best = ended ? 0 : q[following, greedy(following)]
        q[state, action] += alpha * (reward + gamma * best - q[state, action])
        state = following
        if (ended || ++age >= limit) { state = "0,0"; age = 0 }
        if (step % (steps / 10) < 1) print step "," evaluate() > "results.csv"
    }
}

function greedy(at,    a, best) {
    best = 0
    for (a = 1; a < 4; a++) if (q[at, a] > q[at, best]) best = a
    return best
}

# Sets following, reward and ended.
function move(at, action,    place, x, y) {
    if (rand() < slip) action = (action + (rand() < 0.5 ? 1 : 3)) % 4
    split(at, place, ",")
    x = inside(place[1] + dx[action]); y = inside(place[2] + dy[action])
    following = x "," y
    reward = -1; ended = 0
    if (following in hole) { reward = -20; following = "0,0" }
    else if (x == size - 1 && y == size - 1) { reward = 0; ended = 1 }
}

function inside(value) { return value < 0 ? 0 : value >= size ? size - 1 : value }

# The mean return of greedy episodes.
function evaluate(    n, t, at, sum) {
    for (n = 0; n < episodes; n++) {
        at = "0,0"
        for (t = 0; t < limit; t++) {
            move(at, greedy(at)); sum += reward; at = following
            if (ended) break
        }
    }
    return sum / episodes
}
