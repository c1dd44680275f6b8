#include <gmock/gmock.h>

#include "doors/http/door_fixture.h"
#include "doors/http/instance_ids.h"

namespace muster::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class Instances : public DoorTest {
protected:
    Reply put(std::string_view id, std::string_view body) {
        return ask("PUT", orders_path("/instances/") + std::string(id), body);
    }
    msg::RegisterPublishers last_register() {
        const auto all = session.told<msg::RegisterPublishers>();
        return all.empty() ? msg::RegisterPublishers{} : all.back();
    }
};

TEST_F(Instances, AreListedWithTheirStructure) {
    session.show(
        orders(7, {"bolt://10.0.0.1:80?weight=5&enabled=false&c=d", "free \"text\"\x01\xff"}));
    const auto answer = ask("GET", orders_path("/instances"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(
        answer.body,
        R"({"service":"DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders","tenant":"DEFAULT_INSTANCE_ID",)"
        R"("group":"DEFAULT_GROUP","dataId":"orders","version":"7","complete":true,"instances":[)"
        R"({"id":"p1","scheme":"bolt","ip":"10.0.0.1","port":80,"weight":5,"enabled":false,)"
        R"("healthy":true,"metadata":{"c":"d"},"zone":"DEFAULT_ZONE","app":"shop",)"
        R"("client_address":"10.0.0.8:77","boxes":["bolt://10.0.0.1:80?weight=5&enabled=false&c=d"]},)"
        R"({"id":"p2","zone":"DEFAULT_ZONE","app":"shop","client_address":"10.0.0.8:77",)"
        R"("boxes":["free \"text\"\u0001\ufffd"]}]})");
    EXPECT_EQ(ask("GET", "/api/v1/instances?service=orders").body, answer.body);
}

TEST_F(Instances, AreAskedForByASubscriptionThatEnds) {
    session.show(orders(7, {}));
    const env::ConnId conn = connect();
    send(conn, request("GET", "/api/v1/instances?service=orders&scope=zone&zone=A"));
    EXPECT_EQ(take_answer(conn).status, 200);
    const auto subscribes = session.told<msg::Subscribe>();
    ASSERT_EQ(subscribes.size(), 1U);
    EXPECT_EQ(subscribes[0].items[0].subscription.scope, Scope::zone);
    EXPECT_EQ(subscribes[0].items[0].subscription.zone, "A");
    const auto acks = session.told<msg::PushAck>();
    ASSERT_EQ(acks.size(), 1U);
    EXPECT_EQ(acks[0].version, Version(7));
    EXPECT_EQ(acks[0].zone, "A");
    EXPECT_EQ(session.subscribed(), 0U);
    EXPECT_EQ(session.clients.at(conn).door, "http");
    EXPECT_EQ(session.clients.at(conn).address, "10.1.1.1:4001");
    door->on_closed(conn, {});
    EXPECT_TRUE(session.clients.empty());
}

TEST_F(Instances, OfAServiceNobodyKnowsAreNotReady) {
    const env::ConnId conn = connect();
    send(conn, request("GET", orders_path("/instances")));
    session.show(orders(1, {}, false));  // says nothing
    advance(milliseconds(2999));
    EXPECT_EQ(take(conn), "");
    advance(milliseconds(1));
    const auto answer = take_answer(conn);
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.head, HasSubstr("Retry-After: 1\r\n"));
    EXPECT_THAT(answer.body, HasSubstr(R"("code":"not_ready")"));
    EXPECT_THAT(answer.body, HasSubstr(R"("retryable":true)"));
    EXPECT_EQ(session.subscribed(), 0U);
    EXPECT_EQ(session.told<msg::PushAck>().size(), 1U);
}

TEST_F(Instances, OfAnIncompleteListAreShownAsSuch) {
    const env::ConnId conn = connect();
    send(conn, request("GET", orders_path("/instances")));
    session.show(orders(2, {"10.0.0.1:80"}, false));
    EXPECT_THAT(take_answer(conn).body, HasSubstr(R"("complete":false,"instances":[{"id":"p1")"));
    advance({});  // what the session must be told waits for the next turn
    EXPECT_EQ(session.subscribed(), 0U);
}

TEST_F(Instances, QueriesAreChecked) {
    for (const auto* query : {"", "?service=", "?service=a%23@%23b", "?service=o&scope=city"}) {
        EXPECT_EQ(ask("GET", std::string("/api/v1/instances") + query).status, 400) << query;
    }
    session.outcome = fail(Errc::over_limit, "too many subscriptions");
    EXPECT_EQ(ask("GET", "/api/v1/instances?service=orders").status, 429);
}

TEST_F(Instances, QueriesAreCountedByClientAndTenantAndRefusedWhenThereAreMany) {
    session.show(orders(1, {"10.0.0.1:80"}));
    EXPECT_EQ(ask("GET", "/api/v1/instances?service=shop/g/orders").status, 0) << "not known yet";
    EXPECT_EQ(ask("GET", orders_path("/instances")).status, 200);
    EXPECT_EQ(ask("GET", orders_path("/subscribers")).status, 200);
    EXPECT_EQ(ask("GET", "/api/v1/services").status, 200);
    EXPECT_EQ(ask("GET", "/api/v1/config/t/g/k").status, 404);
    std::vector<std::string> tenants;
    for (const auto& [address, tenant] : session.asking) {
        EXPECT_THAT(address, testing::StartsWith("10.1.1.1:"));
        tenants.push_back(tenant);
    }
    const std::string tenant(kDefaultTenant);
    EXPECT_EQ(tenants, (std::vector<std::string>{"shop", tenant, tenant, "", "t"}));
    for (const auto& subscribe : session.told<msg::Subscribe>()) {
        EXPECT_TRUE(subscribe.once);
    }

    session.admission = fail(Errc::over_limit, "in 7 ms");
    for (const std::string& path :
         {orders_path("/instances"), orders_path("/subscribers"), std::string("/api/v1/services"),
          std::string("/api/v1/config/t/g/k")}) {
        const auto refused = ask("GET", path);
        EXPECT_EQ(refused.status, 429) << path;
        EXPECT_THAT(refused.head, HasSubstr("Retry-After: 1\r\n"));
        EXPECT_THAT(refused.body, HasSubstr("in 7 ms"));
    }
    EXPECT_EQ(put("a", R"({"ip":"10.0.0.1","port":80})").status, 201) << "no query";
    EXPECT_EQ(ask("GET", "/api/v1/status").status, 200);
    EXPECT_EQ(ask("GET", "/health/ready").status, 200);
    session.asking.clear();
    const auto conn = connect();
    send(conn, request("GET", orders_path("/watch?version=1")));
    EXPECT_TRUE(session.asking.empty()) << "a subscription";
    EXPECT_FALSE(session.told<msg::Subscribe>().back().once);
}

TEST_F(Instances, AreRegisteredWithALease) {
    const auto answer = put("i%2F1", R"({"ip":"10.0.0.1","port":8080,"weight":7,"zone":"Z",
        "metadata":{"a":"b"},"enabled":false,"app":"shop","ttl_seconds":20})");
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.body, R"({"id":"i/1","service":"DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders",)"
                           R"("ttl_seconds":20,"created":true})");
    const auto told = last_register();
    EXPECT_EQ(told.lease, seconds(20));
    const Publication& publication = *told.publications.at(0);
    EXPECT_EQ(instance_id_of(publication.id), "i/1");
    EXPECT_NE(publication.id, regist_id_of(Service{.data_id = "another"}, "i/1"));
    EXPECT_EQ(publication.boxes,
              std::vector<std::string>{"10.0.0.1:8080?weight=7&enabled=false&a=b"});
    EXPECT_EQ(publication.zone, "Z");
    EXPECT_EQ(publication.app, "shop");
    EXPECT_EQ(publication.client_address, "10.1.1.1:4001");
    EXPECT_EQ(publication.order.version, 1);
    EXPECT_EQ(publication.order.timestamp_ms, clock.wall().unix_ms);
}

TEST_F(Instances, AreRenewedByTheSameBodyAndOrderedWhenItChanges) {
    constexpr std::string_view kBody = R"({"boxes":["10.0.0.1:80"]})";
    EXPECT_EQ(put("a", kBody).status, 201);
    const auto first = last_register().publications.at(0)->order;
    EXPECT_EQ(put("a", kBody).status, 200);
    EXPECT_EQ(last_register().publications.at(0)->order, first);
    EXPECT_EQ(put("a", R"({"boxes":["10.0.0.1:81"]})").status, 200);
    EXPECT_GT(last_register().publications.at(0)->order, first);  // in the same millisecond
    EXPECT_EQ(last_register().lease, seconds(15));
}

TEST_F(Instances, AreRenewedByHeartbeats) {
    put("a", R"({"ip":"10.0.0.1","port":80,"ttl_seconds":5})");
    for (int i = 0; i < 3; ++i) {
        advance(seconds(4));
        EXPECT_EQ(ask("POST", orders_path("/instances/a/heartbeat")).status, 200);
    }
    EXPECT_EQ(session.told<msg::RegisterPublishers>().size(), 4U);
    EXPECT_EQ(last_register().lease, seconds(5));
    advance(seconds(5));
    const auto late = ask("POST", "/api/v1/instances/a/heartbeat?service=orders");
    EXPECT_EQ(late.status, 404);
    EXPECT_THAT(late.body, HasSubstr(R"("code":"not_found")"));
}

TEST_F(Instances, AreRemovedWithANewerOrder) {
    put("a", R"({"ip":"10.0.0.1","port":80})");
    const auto registered = last_register().publications.at(0)->order;
    EXPECT_THAT(
        ask("DELETE", orders_path("/instances/a")).body,
        testing::AllOf(HasSubstr(R"("id":"a")"), HasSubstr(R"("removed":true,"known_here":true)")));
    const auto unregistered = session.told<msg::UnregisterPublishers>().at(0).items.at(0);
    EXPECT_GT(unregistered.order, registered);
    EXPECT_EQ(ask("POST", orders_path("/instances/a/heartbeat")).status, 404);
    EXPECT_EQ(put("a", R"({"ip":"10.0.0.1","port":80})").status, 201);
    EXPECT_GT(last_register().publications.at(0)->order, unregistered.order);
    EXPECT_THAT(ask("DELETE", orders_path("/instances/b")).body,
                HasSubstr(R"("known_here":false)"));
}

TEST_F(Instances, ThatTheSessionRefusesAreNotRemembered) {
    session.outcome = fail(Errc::over_limit, "too many registrations");
    EXPECT_EQ(put("a", R"({"ip":"10.0.0.1","port":80})").status, 429);
    EXPECT_EQ(ask("DELETE", orders_path("/instances/x")).status, 429);
    session.outcome = {};
    EXPECT_EQ(ask("POST", orders_path("/instances/a/heartbeat")).status, 404);
}

TEST_F(Instances, WithAnIdOfAnotherServiceAreAConflict) {
    session.outcome = fail(Errc::conflict, "registration id 'a' is in use for other");
    const auto answer = put("a", R"({"ip":"10.0.0.1","port":80})");
    EXPECT_EQ(answer.status, 409);
    EXPECT_THAT(answer.body, HasSubstr("is in use for other."));
}

TEST_F(Instances, AreNotWaitedForForEver) {
    session.answers = false;
    for (const auto* method : {"PUT", "DELETE"}) {
        const env::ConnId conn = connect();
        send(conn, request(method, orders_path("/instances/a"), R"({"ip":"10.0.0.1","port":80})"));
        advance(seconds(5));
        EXPECT_EQ(take_answer(conn).status, 504) << method;
    }
}

TEST_F(Instances, BodiesAreCheckedFieldByField) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"{\"ip\":\n  \"a\",, }", "line 2, column 7"},
        {"", "the body is not JSON at line 1, column 1: it ends too early"},
        {"{} x", "line 1, column"},
        {"[]", "not a JSON object"},
        {"{}", "needs 'ip' and 'port'"},
        {R"({"ip":"a"})", "needs 'ip' and 'port'"},
        {R"({"ip":"a","port":0})", "'port' is a whole number from 1 to 65535"},
        {R"({"ip":"a","port":1.5})", "'port'"},
        {R"({"ip":7,"port":1})", "'ip' is a string"},
        {R"({"ip":"a","port":1,"weigth":1})", "'weigth' is unknown; known are ip, port"},
        {R"({"ip":"a","port":1,"weight":-1})", "'weight'"},
        {R"({"ip":"a","port":1,"enabled":"no"})", "'enabled' is true or false"},
        {R"({"ip":"a","port":1,"metadata":{"x":1}})", "'metadata' is an object of strings"},
        {R"({"ip":"a","port":1,"metadata":{"x":"1&y=2"}})", "read differently"},
        {R"({"ip":"a","port":1,"metadata":{"weight":"1"}})", "read differently"},
        {R"({"ip":"a/b","port":1})", "read differently"},
        {R"({"ip":"a","port":1,"ttl_seconds":0})", "'ttl_seconds' is a whole number from 1 to"},
        {R"({"ip":"a","port":1,"ttl_seconds":3601})", "'ttl_seconds'"},
        {R"({"boxes":[]})", "'boxes' is a list of 1 to 64 strings"},
        {R"({"boxes":[1]})", "'boxes'"},
        {R"({"boxes":["a"],"port":1})", "'port' is not allowed beside 'boxes'"},
        {std::string(100, '['), "too deep"},
    };
    for (const auto& [body, message] : cases) {
        const auto answer = put("a", body);
        EXPECT_EQ(answer.status, 400) << body;
        EXPECT_THAT(answer.body, HasSubstr(message)) << body;
    }
    EXPECT_EQ(put(std::string(257, 'a'), R"({"ip":"a","port":1})").status, 400);
    EXPECT_EQ(put("%0a", R"({"ip":"a","port":1})").status, 400);
    EXPECT_TRUE(session.messages.empty());
}

class FewLeases : public DoorTest {
protected:
    FewLeases() : DoorTest({.leases_max = 1}) {}
};

TEST_F(FewLeases, AreALimitWithAnAnswer) {
    constexpr std::string_view kBody = R"({"ip":"10.0.0.1","port":80,"ttl_seconds":5})";
    const std::string path = orders_path("/instances/");
    EXPECT_EQ(ask("PUT", path + "a", kBody).status, 201);
    EXPECT_EQ(ask("PUT", path + "b", kBody).status, 429);
    EXPECT_EQ(ask("PUT", path + "a", kBody).status, 200);
    EXPECT_THAT(metrics(), HasSubstr("muster_http_leases 1\n"));
    advance(seconds(5));
    EXPECT_EQ(ask("PUT", path + "b", kBody).status, 201);
}

}  // namespace
}  // namespace muster::http
