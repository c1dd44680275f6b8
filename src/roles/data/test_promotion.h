#pragma once

#include "roles/data/test_world.h"

// Three data servers with copies of one slot that d1 leads, and two sessions that were told of what
// the first of them owns: what comes after a change of leaders begins here.
namespace muster::data::test {

inline const ServicePtr kOrders = service("orders");
using Ids = std::set<std::string>;

class Promotion : public ::testing::Test {
protected:
    Promotion() {
        world.assign({"d1", "d2", "d3"});
        world.pass(1s);
        s1.publish("a", kOrders);
        s1.want(kOrders);
        s2.want(kOrders);
        world.pass(500ms);
        EXPECT_EQ(s2.copies["orders"].ids, Ids{"a"});
        EXPECT_TRUE(s2.copies["orders"].complete);
    }
    void lose_entries() {
        world.lose = [](const auto&, const auto&, const auto& message) {
            return std::holds_alternative<msg::SlotEntries>(message);
        };
    }
    // d2 leads with a copy that lacks the last publication, of s1; s2 has seen it.
    void promote_without_tail() {
        lose_entries();
        s1.publish("tail", kOrders);
        lose_nothing();
        world.kill("d1");
        world.assign({"d2", "d3"});
        s2.want(kOrders);
    }
    // s2 is on a fork, and is not told when all is known. Returns the version it goes on to hold.
    Version miss_the_end_of_its_fork() {
        promote_without_tail();
        s1.want(kOrders);
        s1.publish("new", kOrders);
        world.lose = [](const auto&, const auto& to, const auto& message) {
            return std::holds_alternative<msg::ChangeBatch>(message) && to.node == NodeId("s2");
        };
        world.pass(3s);
        EXPECT_TRUE(world.copy("d2").settled);
        return s2.copies["orders"].version;
    }
    // Interest anew, with what was shown of it.
    void declare(const TestSession& session, const std::string& to,
                 msg::InterestDeclare::Item shown, std::uint64_t part = 10) {
        world.send(
            {session.node, Role::session}, {NodeId(to), Role::data},
            msg::InterestDeclare{
                .session = Incarnation(1), .stream = 1, .part = part, .items = {std::move(shown)}});
        world.run();
    }
    void lose_nothing() {
        world.lose = [](const auto&, const auto&, const auto&) { return false; };
    }
    void stand_still(const std::set<std::string>& nodes) {
        world.stopped = nodes;
        world.lose = [&](const auto&, const auto& to, const auto&) {
            return nodes.contains(to.node.raw());
        };
        world.pass(3s);
        world.stopped = {};
        lose_nothing();
        world.pass(2s);
    }

    World world{{"d1", "d2", "d3"}};
    TestSession& s1 = world.session("s1");
    TestSession& s2 = world.session("s2");
};

}  // namespace muster::data::test
