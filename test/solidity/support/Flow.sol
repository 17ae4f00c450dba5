// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A cheapest circulation by cancelling negative cycles (Klein 1967), and shortest paths in its residual network (Bellman-Ford). Small and
/// slow on purpose: it shares nothing with the code that it judges.
library Flow {
    int256 internal constant FAR = 2 ** 120;

    struct Arc {
        uint256 from;
        uint256 to;
        uint256 capacity;
        int256 cost;
        uint256 flow;
    }

    struct Network {
        uint256 nodes;
        uint256 count;
        Arc[] arcs;
    }

    function create(uint256 nodes, uint256 most) internal pure returns (Network memory net) {
        net.nodes = nodes;
        net.arcs = new Arc[](most);
    }

    function add(
        Network memory net,
        uint256 from,
        uint256 to,
        uint256 capacity,
        int256 cost
    ) internal pure returns (uint256 index) {
        index = net.count++;
        net.arcs[index] = Arc(from, to, capacity, cost, 0);
    }

    /// Sends flow around cycles of negative cost until there is none.
    function solve(Network memory net) internal pure {
        while (_cancel(net)) {}
    }

    /// Cost of the cheapest way from `source` to every node in the residual network, FAR where there is none. With
    /// `backwards` from every node to `source`. There must be no negative cycle.
    function distances(
        Network memory net,
        uint256 source,
        bool backwards
    ) internal pure returns (int256[] memory distance) {
        distance = new int256[](net.nodes);
        for (uint256 v = 0; v < net.nodes; ++v) distance[v] = v == source ? int256(0) : FAR;
        bool changed = true;
        while (changed) {
            changed = false;
            for (uint256 i = 0; i < net.count; ++i) {
                Arc memory arc = net.arcs[i];
                (uint256 a, uint256 b) = backwards ? (arc.to, arc.from) : (arc.from, arc.to);
                if (arc.flow < arc.capacity && distance[a] < FAR && distance[a] + arc.cost < distance[b]) {
                    distance[b] = distance[a] + arc.cost;
                    changed = true;
                }
                if (arc.flow > 0 && distance[b] < FAR && distance[b] - arc.cost < distance[a]) {
                    distance[a] = distance[b] - arc.cost;
                    changed = true;
                }
            }
        }
    }

    /// Finds one negative cycle by Bellman-Ford from everywhere at once, and fills it.
    function _cancel(Network memory net) private pure returns (bool) {
        int256[] memory distance = new int256[](net.nodes);
        // 1 + 2 x arc (+ 1 against it) by which each node was reached last.
        uint256[] memory by = new uint256[](net.nodes);
        uint256 last = type(uint256).max;
        for (uint256 round = 0; round <= net.nodes; ++round) {
            last = type(uint256).max;
            for (uint256 i = 0; i < net.count; ++i) {
                Arc memory arc = net.arcs[i];
                if (arc.flow < arc.capacity && distance[arc.from] + arc.cost < distance[arc.to]) {
                    distance[arc.to] = distance[arc.from] + arc.cost;
                    by[arc.to] = 2 * i + 1;
                    last = arc.to;
                }
                if (arc.flow > 0 && distance[arc.to] - arc.cost < distance[arc.from]) {
                    distance[arc.from] = distance[arc.to] - arc.cost;
                    by[arc.from] = 2 * i + 2;
                    last = arc.from;
                }
            }
            if (last == type(uint256).max) return false;
        }
        // Far enough back, every node lies on the cycle.
        for (uint256 i = 0; i < net.nodes; ++i) last = _before(net, by, last);
        uint256 room = type(uint256).max;
        uint256 node = last;
        do {
            Arc memory arc = net.arcs[(by[node] - 1) / 2];
            uint256 left = by[node] % 2 == 1 ? arc.capacity - arc.flow : arc.flow;
            if (left < room) room = left;
            node = _before(net, by, node);
        } while (node != last);
        do {
            Arc memory arc = net.arcs[(by[node] - 1) / 2];
            arc.flow = by[node] % 2 == 1 ? arc.flow + room : arc.flow - room;
            node = _before(net, by, node);
        } while (node != last);
        return true;
    }

    function _before(Network memory net, uint256[] memory by, uint256 node) private pure returns (uint256) {
        Arc memory arc = net.arcs[(by[node] - 1) / 2];
        return by[node] % 2 == 1 ? arc.from : arc.to;
    }
}
