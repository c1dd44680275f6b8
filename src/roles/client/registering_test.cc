#include <gtest/gtest.h>

#include "roles/client/test_world.h"

namespace muster::client::test {
namespace {

TEST(ClientRegistering, SendsWhatOneTurnWishedInOneBatch) {
    World world;
    world.connect();
    world.publish("x:1");
    world.publish("y:1");
    EXPECT_TRUE(world.link.sent.empty()) << "not from within the call";
    world.advance(0ms);
    const auto request = world.take_one<msg::RegisterPublishers>();
    ASSERT_EQ(request.publications.size(), 2U);
    EXPECT_EQ(request.publications[0]->boxes, Ids{"x:1"});
    EXPECT_EQ(request.publications[0]->zone, "a");
    EXPECT_EQ(request.publications[0]->order.version, 1);
    EXPECT_EQ(request.lease, Duration{});
    world.answer(request);
    EXPECT_EQ(world.seen.registered.size(), 2U);
    EXPECT_EQ(world.role().status().unacknowledged, 0U);
}

TEST(ClientRegistering, SendsEverythingInOneBatchAfterEveryConnect) {
    World world;
    const RegistId first = world.publish("x:1");
    world.publish("y:1");
    world.connect();
    const auto at_first = world.take_one<msg::RegisterPublishers>();
    ASSERT_EQ(at_first.publications.size(), 2U);
    world.answer(at_first);
    world.reconnect();
    const auto again = world.take_one<msg::RegisterPublishers>();
    ASSERT_EQ(again.publications.size(), 2U);
    EXPECT_EQ(again.publications[0]->id, first);
    EXPECT_EQ(again.publications[0]->order.version, 1);
    EXPECT_GT(again.publications[0]->order, at_first.publications[0]->order);
}

TEST(ClientRegistering, OrdersGrowAlthoughTheWallClockIsSetBack) {
    World world;
    const RegistId id = world.publish("x:1");
    world.connect();
    RegistOrder last = world.take_one<msg::RegisterPublishers>().publications[0]->order;
    for (int i = 0; i < 3; ++i) {
        world.time.jump_wall(-3'600'000);
        world.reconnect();
        const RegistOrder order = world.take_one<msg::RegisterPublishers>().publications[0]->order;
        EXPECT_GT(order, last);
        last = order;
        ASSERT_TRUE(world.role().update(id, {.service = orders()}).has_value());
        world.advance(0ms);
        const RegistOrder updated =
            world.take_one<msg::RegisterPublishers>().publications[0]->order;
        EXPECT_EQ(updated.version, last.version + 1);
        EXPECT_GT(updated.timestamp_ms, last.timestamp_ms);
        last = updated;
    }
}

TEST(ClientRegistering, UpdateWhileARequestIsOnItsWayIsSentAndAnsweredByItself) {
    World world;
    const RegistId id = world.publish("x:1");
    world.connect();
    const auto first = world.take_one<msg::RegisterPublishers>();
    ASSERT_TRUE(world.role().update(id, {.service = orders(), .boxes = {"x:2"}}).has_value());
    world.advance(0ms);
    const auto second = world.take_one<msg::RegisterPublishers>();
    EXPECT_EQ(second.publications[0]->boxes, Ids{"x:2"});
    EXPECT_EQ(second.publications[0]->order.version, 2);
    world.answer(first);
    EXPECT_EQ(world.role().status().unacknowledged, 1U) << "that answered the older state";
    EXPECT_TRUE(world.seen.registered.empty());
    world.answer(second);
    EXPECT_EQ(world.role().status().unacknowledged, 0U);
    ASSERT_EQ(world.seen.registered.size(), 1U);
    EXPECT_EQ(world.seen.registered[0].version, 2);
}

TEST(ClientRegistering, AnswersOfAnEarlierConnectionChangeNothing) {
    World world;
    world.publish("x:1");
    world.connect();
    const auto old_request = world.take_one<msg::RegisterPublishers>();
    const LinkId old_link = world.current();
    world.reconnect();
    const auto request = world.take_one<msg::RegisterPublishers>();
    msg::RequestReply late{.request = request.request,
                           .outcomes = {{.id = request.publications[0]->id, .version = 1}}};
    world.role().on_reply(old_link, late);
    late.request = old_request.request;
    world.role().on_reply(old_link, late);
    EXPECT_EQ(world.role().status().unacknowledged, 1U);
    world.answer(request);
    EXPECT_EQ(world.role().status().unacknowledged, 0U);
}

TEST(ClientRegistering, UnregistrationWhileDisconnectedIsSentAfterReconnect) {
    World world;
    const RegistId id = world.publish("x:1");
    world.connect();
    const auto request = world.take_one<msg::RegisterPublishers>();
    world.answer(request);
    world.role().on_link_down(world.current(), {.code = Errc::closed});
    ASSERT_TRUE(world.role().unregister(id).has_value());
    EXPECT_EQ(world.role().registration(id), nullptr);
    world.await_connect();
    world.role().on_link_up(world.current());
    EXPECT_TRUE(world.take<msg::RegisterPublishers>().empty());
    const auto leaving = world.take_one<msg::UnregisterPublishers>();
    ASSERT_EQ(leaving.items.size(), 1U);
    EXPECT_EQ(leaving.items[0].id, id);
    EXPECT_GT(leaving.items[0].order, request.publications[0]->order);
    // Lost once more before the answer: still remembered.
    world.reconnect();
    const auto again = world.take_one<msg::UnregisterPublishers>();
    EXPECT_GT(again.items[0].order, leaving.items[0].order);
    world.answer(again);
    EXPECT_EQ(world.role().status().registrations, 0U);
    EXPECT_EQ(world.seen.registered.back().id, id);
}

TEST(ClientRegistering, WhatNoServerHeardOfIsForgottenAtOnce) {
    World world;
    const RegistId id = world.publish("x:1");
    ASSERT_TRUE(world.role().unregister(id).has_value());
    EXPECT_EQ(world.role().status().registrations, 0U);
    world.connect();
    EXPECT_TRUE(world.link.sent.empty());
    EXPECT_EQ(world.role().unregister(id).error().code, Errc::not_found);
    EXPECT_EQ(world.role().update(id, {.service = orders()}).error().code, Errc::not_found);
}

TEST(ClientRegistering, UnregistrationOvertakesARegistrationOnItsWay) {
    World world;
    const RegistId id = world.publish("x:1");
    world.connect();
    const auto request = world.take_one<msg::RegisterPublishers>();
    ASSERT_TRUE(world.role().unregister(id).has_value());
    world.advance(0ms);
    const auto leaving = world.take_one<msg::UnregisterPublishers>();
    world.answer(request);
    EXPECT_EQ(world.role().status().registrations, 1U);
    world.answer(leaving);
    EXPECT_EQ(world.role().status().registrations, 0U);
}

TEST(ClientRegistering, ResendsTheSameStateWhenNoAnswerComes) {
    World world({.request_timeout = 1s});
    world.publish("x:1");
    world.connect();
    const auto first = world.take_one<msg::RegisterPublishers>();
    world.advance(1s);
    const auto second = world.take_one<msg::RegisterPublishers>();
    EXPECT_NE(second.request, first.request);
    EXPECT_EQ(second.publications[0]->order, first.publications[0]->order);
    world.answer(first);
    EXPECT_EQ(world.role().status().unacknowledged, 1U) << "given up before";
    world.answer(second);
    EXPECT_EQ(world.role().status().unacknowledged, 0U);
}

TEST(ClientRegistering, GivesUpAServerThatAnswersNoRequest) {
    World world({.servers = {"s:1", "s:2"}, .request_timeout = 1s});
    world.publish("x:1");
    world.connect();
    const std::string first = world.link.connects[0].server;
    for (int i = 0; i < 3; ++i) {
        world.role().on_heartbeat_ack(world.current());
        world.advance(1s);
    }
    EXPECT_EQ(world.link.disconnects, std::vector{LinkId(1)});
    world.advance(100ms);
    ASSERT_EQ(world.link.connects.size(), 2U);
    EXPECT_NE(world.link.connects[1].server, first);
}

TEST(ClientRegistering, RetriesPassingRefusalsWithGrowingPauses) {
    World world({.resend_after = 100ms});
    const RegistId id = world.publish("x:1");
    world.connect();
    for (int i = 0; i < 3; ++i) {
        const auto request = world.take_one<msg::RegisterPublishers>();
        world.answer(request, fail(Errc::busy, ""));
        EXPECT_EQ(world.seen.registered.back().result.error().code, Errc::busy);
        world.advance(30ms);
        EXPECT_TRUE(world.take<msg::RegisterPublishers>().empty());
        for (int k = 0; k < 100 && world.link.sent.empty(); ++k) {
            world.advance(10ms);
        }
    }
    world.answer(world.take_one<msg::RegisterPublishers>());
    EXPECT_EQ(world.role().status().unacknowledged, 0U);
    EXPECT_NE(world.role().registration(id), nullptr);
}

TEST(ClientRegistering, LeavesLastingRefusalsUntilTheUpdateOrTheNextConnection) {
    World world;
    const RegistId id = world.publish("x:1");
    world.connect();
    world.answer(world.take_one<msg::RegisterPublishers>(), fail(Errc::refused, "policy"));
    world.advance(10s);
    EXPECT_TRUE(world.take<msg::RegisterPublishers>().empty());
    ASSERT_TRUE(world.role().update(id, {.service = orders()}).has_value());
    world.advance(0ms);
    world.answer(world.take_one<msg::RegisterPublishers>(), fail(Errc::refused, "policy"));
    world.reconnect();
    EXPECT_EQ(world.take<msg::RegisterPublishers>().size(), 1U);
}

TEST(ClientRegistering, TellsEachItemOfARequestThatFailedAsAWhole) {
    World world;
    world.publish("x:1");
    world.publish("y:1");
    world.connect();
    const auto request = world.take_one<msg::RegisterPublishers>();
    world.role().on_request_failed(world.current(), request.request,
                                   {.code = Errc::too_large, .detail = "frame"});
    ASSERT_EQ(world.seen.registered.size(), 2U);
    EXPECT_EQ(world.seen.registered[1].result.error().code, Errc::too_large);
}

TEST(ClientRegistering, ItemsThatAReplyLeavesOutAreSentAgain) {
    World world({.resend_after = 100ms});
    const RegistId x = world.publish("x:1");
    const RegistId y = world.publish("y:1");
    world.connect();
    const auto request = world.take_one<msg::RegisterPublishers>();
    world.role().on_reply(world.current(), {.request = request.request, .outcomes = {{.id = y}}});
    world.advance(200ms);
    const auto again = world.take_one<msg::RegisterPublishers>();
    ASSERT_EQ(again.publications.size(), 1U);
    EXPECT_EQ(again.publications[0]->id, x);
}

TEST(ClientRegistering, SplitsBatchesAndBoundsOpenRequests) {
    World world({.open_requests_max = 2, .batch_items_max = 3});
    for (int i = 0; i < 10; ++i) {
        world.publish("x:1");
    }
    world.connect();
    auto requests = world.take<msg::RegisterPublishers>();
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_EQ(requests[0].publications.size(), 3U);
    EXPECT_EQ(world.role().status().open_requests, 2U);
    std::size_t sent = 6;
    while (!requests.empty()) {
        for (const auto& request : requests) {
            world.answer(request);
        }
        requests = world.take<msg::RegisterPublishers>();
        for (const auto& request : requests) {
            sent += request.publications.size();
        }
    }
    EXPECT_EQ(sent, 10U);
    EXPECT_EQ(world.role().status().unacknowledged, 0U);
}

TEST(ClientRegistering, BoundsTheBytesOfABatch) {
    World world({.batch_bytes_max = 3000});
    for (int i = 0; i < 4; ++i) {
        world.publish(std::string(2000, 'x'));
    }
    world.connect();
    EXPECT_EQ(world.take<msg::RegisterPublishers>().size(), 4U);
}

TEST(ClientRegistering, RefusesMoreThanTheLimitWithThoseThatAreLeaving) {
    World world({.registrations_max = 2});
    const RegistId id = world.publish("x:1");
    world.publish("y:1");
    world.connect();
    world.answer(world.take_one<msg::RegisterPublishers>());
    ASSERT_TRUE(world.role().unregister(id).has_value());
    EXPECT_EQ(world.role().register_publication({.service = orders()}).error().code,
              Errc::over_limit);
    world.advance(0ms);
    world.answer(world.take_one<msg::UnregisterPublishers>());
    EXPECT_TRUE(world.role().register_publication({.service = orders()}).has_value());
}

TEST(ClientRegistering, RefusesServicesThatCannotBe) {
    World world;
    EXPECT_EQ(world.role().register_publication({}).error().code, Errc::invalid_argument);
    EXPECT_EQ(world.role().subscribe({}).error().code, Errc::invalid_argument);
    EXPECT_EQ(world.role().watch_config({}).error().code, Errc::invalid_argument);
    const RegistId id = world.publish("x:1");
    EXPECT_EQ(world.role().update(id, {.service = {.data_id = "other"}}).error().code,
              Errc::invalid_argument);
}

TEST(ClientRegistering, UnregisterAllLeavesPolitelyInOneBatch) {
    World world;
    world.publish("x:1");
    world.publish("y:1");
    world.connect();
    world.answer(world.take_one<msg::RegisterPublishers>());
    world.role().unregister_all();
    world.role().flush();
    const auto leaving = world.take_one<msg::UnregisterPublishers>();
    EXPECT_EQ(leaving.items.size(), 2U);
    world.answer(leaving);
    EXPECT_EQ(world.role().status().unacknowledged, 0U);
    world.role().stop();
    EXPECT_EQ(world.link.disconnects, std::vector{LinkId(1)});
}

}  // namespace
}  // namespace muster::client::test
