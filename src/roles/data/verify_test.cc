#include <gmock/gmock.h>

#include "roles/data/test_world.h"

namespace muster::data {
namespace {

using namespace std::chrono_literals;
using test::service;
using test::TestSession;
using test::World;

const ServicePtr kOrders = service("orders");
const ServicePtr kStock = service("stock");

class Verify : public ::testing::Test {
protected:
    Verify() {
        world.assign({"d1", "d2"});
        world.pass(1s);
        s1.publish("a", kOrders);
        s1.publish("b", kOrders);
        s2.publish("c", kStock);
        world.lose = [this](const auto& from, const auto& to, const auto& message) {
            passed.emplace_back(from, to, message);
            return false;
        };
    }
    // What `node` answers an operator.
    msg::VerifyReply ask(const std::string& node, const msg::VerifyRequest& request) {
        passed.clear();
        world.send(operator_, {NodeId(node), Role::data}, request);
        world.run();
        for (const auto& [from, to, message] : passed) {
            if (const auto* reply = std::get_if<msg::VerifyReply>(&message)) {
                EXPECT_EQ(to, operator_);
                return *reply;
            }
        }
        ADD_FAILURE() << "no answer";
        return {};
    }
    static msg::VerifyRequest::Detail detail(const std::string& of = "",
                                             const std::string& owner = "") {
        return {.slot = SlotId(0), .service = of, .owner = NodeId(owner), .life = Incarnation(1)};
    }
    static std::vector<std::string> names(const msg::VerifyDetail& detail) {
        std::vector<std::string> all;
        for (const auto& line : detail.lines) {
            all.push_back(line.name + " " + std::to_string(line.count));
        }
        return all;
    }

    const msg::RoleAddress operator_{NodeId("operator"), Role::session};
    World world{{"d1", "d2"}};
    TestSession& s1 = world.session("s1");
    TestSession& s2 = world.session("s2");
    std::vector<std::tuple<msg::RoleAddress, msg::RoleAddress, msg::ClusterMessage>> passed;
};

TEST_F(Verify, TheLeaderTellsItsCopyAndWhoOwnsWhat) {
    const auto reply = ask("d1", {.incarnation = Incarnation(5), .request = 8});
    EXPECT_EQ(reply.incarnation, Incarnation(5));
    EXPECT_EQ(reply.request, 8U);
    ASSERT_EQ(reply.copies.size(), 1U);
    const auto& copy = reply.copies[0];
    EXPECT_TRUE(copy.leads && copy.whole);
    EXPECT_EQ(copy.publications, 3U);
    ASSERT_EQ(copy.owners.size(), 2U);
    SetDigest sum = copy.owners[0].digest;
    sum.add(copy.owners[1].digest);
    EXPECT_EQ(sum, copy.digest);
    EXPECT_EQ(copy.owners[0].count + copy.owners[1].count, 3U);
    EXPECT_EQ(copy.owners[0].life, Incarnation(1));
}

TEST_F(Verify, AFollowerTellsACopyThatIsWholeWhenItHasOne) {
    const auto reply = ask("d2", {});
    ASSERT_EQ(reply.copies.size(), 1U);
    EXPECT_FALSE(reply.copies[0].leads);
    EXPECT_TRUE(reply.copies[0].whole);
    EXPECT_TRUE(reply.copies[0].owners.empty());
    world.cut("d1", "d3");
    world.start("d3");
    world.assign({"d1", "d2", "d3"});
    EXPECT_FALSE(ask("d3", {}).copies.at(0).whole) << "its image has not come";
}

TEST_F(Verify, OnlyTheNamedSlotsAreTold) {
    EXPECT_TRUE(ask("d1", {.slots = {SlotId(9)}}).copies.empty());
    EXPECT_EQ(ask("d1", {.slots = {SlotId(9), SlotId(0)}}).copies.size(), 1U);
}

TEST_F(Verify, DetailsAreByServiceThenByPublication) {
    EXPECT_THAT(
        names(ask("d2", {.detail = detail()}).detail),
        testing::ElementsAre(kOrders->data_info_id() + " 2", kStock->data_info_id() + " 1"));
    EXPECT_THAT(names(ask("d2", {.detail = detail(kOrders->data_info_id())}).detail),
                testing::ElementsAre("a 1", "b 1"));
    EXPECT_THAT(names(ask("d2", {.detail = detail("nothing")}).detail), testing::IsEmpty());
}

TEST_F(Verify, DetailsOfOneSessionAreOfItAlone) {
    EXPECT_THAT(names(ask("d1", {.detail = detail("", "s2")}).detail),
                testing::ElementsAre(kStock->data_info_id() + " 1"));
    EXPECT_THAT(names(ask("d1", {.detail = detail("", "nobody")}).detail), testing::IsEmpty())
        << "whom nobody heard of is not remembered either";
}

TEST_F(Verify, DetailsOfASlotThatIsNotHeldAreEmpty) {
    auto wish = detail();
    wish.slot = SlotId(77);
    EXPECT_THAT(names(ask("d1", {.detail = wish}).detail), testing::IsEmpty());
}

TEST_F(Verify, ARequestIsPassedOnToASessionAndItsAnswerBack) {
    const msg::VerifyRequest request{.incarnation = Incarnation(5),
                                     .request = 8,
                                     .asker = operator_.node,
                                     .asker_role = operator_.role,
                                     .session = NodeId("s2"),
                                     .slots = {SlotId(0)}};
    world.send(operator_, {NodeId("d1"), Role::data}, request);
    world.run();
    const auto& [from, to, message] = passed.back();
    EXPECT_EQ(to, (msg::RoleAddress{NodeId("s2"), Role::session}));
    const auto& told = std::get<msg::VerifyRequest>(message);
    EXPECT_EQ(told.session, NodeId{}) << "it goes no further";
    EXPECT_EQ(told.asker, operator_.node);
    world.send({NodeId("s2"), Role::session}, {NodeId("d1"), Role::data},
               msg::VerifySessionReply{.request = 8,
                                       .asker = operator_.node,
                                       .asker_role = operator_.role,
                                       .session = NodeId("s2")});
    world.run();
    EXPECT_EQ(std::get<1>(passed.back()), operator_);
    EXPECT_EQ(std::get<msg::VerifySessionReply>(std::get<2>(passed.back())).request, 8U);
}

TEST_F(Verify, AnAnswerIsPassedOnOnce) {
    const msg::VerifySessionReply reply{
        .asker = NodeId("d2"), .asker_role = Role::data, .session = NodeId("s2")};
    world.send({NodeId("s2"), Role::session}, {NodeId("d1"), Role::data}, reply);
    world.run();
    const auto count = std::ranges::count_if(passed, [](const auto& one) {
        return std::holds_alternative<msg::VerifySessionReply>(std::get<2>(one));
    });
    EXPECT_EQ(count, 2) << "to d1, to d2, and not on from there";
}

}  // namespace
}  // namespace muster::data
