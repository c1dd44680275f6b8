#include "doors/native_codec/native_codec.h"

#include <gtest/gtest.h>

#include "doors/native_codec/field_numbers.h"
#include "doors/native_codec/mark_codec.h"
#include "doors/native_codec/sample_messages.h"
#include "muster/v1/client.pb.h"

namespace muster::native {
namespace {

const RequestContext kContext{.request = msg::RequestId(42), .client_address = "10.0.0.7:41234"};

template <typename Theirs>
std::string through_protoc(std::string_view bytes) {
    Theirs message;
    EXPECT_TRUE(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    return message.SerializeAsString();
}

TEST(NativeCodec, WritesRequestsAsProtocDoes) {
    const auto requests = sample::requests();
    std::vector<std::string> ours;
    for (const auto& request : requests) {
        ours.push_back(encode(request));
    }
    EXPECT_EQ(ours[0], through_protoc<v1::RegisterRequest>(ours[0]));
    EXPECT_EQ(ours[1], through_protoc<v1::UnregisterRequest>(ours[1]));
    EXPECT_EQ(ours[2], through_protoc<v1::SubscribeRequest>(ours[2]));
    EXPECT_EQ(ours[3], through_protoc<v1::UnsubscribeRequest>(ours[3]));
    EXPECT_EQ(ours[4], through_protoc<v1::WatchRequest>(ours[4]));
    EXPECT_EQ(ours[5], through_protoc<v1::UnwatchRequest>(ours[5]));
    EXPECT_EQ(ours[6], through_protoc<v1::PushAck>(ours[6]));
}

TEST(NativeCodec, NamesEveryRequestByItsProtobufName) {
    const std::string names[] = {
        v1::RegisterRequest().GetTypeName(),  v1::UnregisterRequest().GetTypeName(),
        v1::SubscribeRequest().GetTypeName(), v1::UnsubscribeRequest().GetTypeName(),
        v1::WatchRequest().GetTypeName(),     v1::UnwatchRequest().GetTypeName(),
        v1::PushAck().GetTypeName(),
    };
    const auto requests = sample::requests();
    ASSERT_EQ(requests.size(), std::size(names));
    for (std::size_t i = 0; i < requests.size(); ++i) {
        EXPECT_EQ(class_name(requests[i]), names[i]);
        EXPECT_EQ(expects_reply(requests[i]), i != 6);
        EXPECT_EQ(request_id(requests[i]).raw(), i != 6 ? 42U : 0U);
    }
    EXPECT_EQ(kReplyClass, v1::Reply().GetTypeName());
    EXPECT_EQ(kPushClass, v1::Push().GetTypeName());
    EXPECT_EQ(kPackedPushClass, v1::PackedPush().GetTypeName());
    EXPECT_EQ(kConfigPushClass, v1::ConfigPush().GetTypeName());
    EXPECT_EQ(kServerHintClass, v1::ServerHint().GetTypeName());
}

TEST(NativeCodec, RequestsComeBackFromTheirBytes) {
    for (const auto& request : sample::requests()) {
        const std::string bytes = encode(request);
        const auto decoded = decode_request(class_name(request), bytes, kContext, CodecLimits{});
        ASSERT_TRUE(decoded.has_value()) << to_string(decoded.error());
        EXPECT_EQ(decoded->index(), request.index());
        EXPECT_EQ(request_id(*decoded), request_id(request));
        EXPECT_EQ(encode(*decoded), bytes) << class_name(request);
    }
}

TEST(NativeCodec, WritesMarksAsProtocDoes) {
    const std::string wish = encode(sample::mark_wish());
    EXPECT_EQ(wish, through_protoc<v1::MarkRequest>(wish));
    const std::string outcome = encode(sample::mark_outcome());
    EXPECT_EQ(outcome, through_protoc<v1::MarkReply>(outcome));
    EXPECT_EQ(kMarkClass, v1::MarkRequest().GetTypeName());
    EXPECT_EQ(kMarkReplyClass, v1::MarkReply().GetTypeName());
    v1::MarkRequest theirs;
    ASSERT_TRUE(theirs.ParseFromString(wish));
    EXPECT_EQ(theirs.service().data_id(), "orders");
    EXPECT_EQ(theirs.address(), "10.0.0.7:12200");
    EXPECT_TRUE(theirs.restore());
    EXPECT_EQ(theirs.timeout_ms(), 30'000);
    EXPECT_EQ(theirs.ramp_ms(), 1500);
    EXPECT_EQ(theirs.asked_by(), "shop-web");
    v1::MarkReply reply;
    ASSERT_TRUE(reply.ParseFromString(outcome));
    EXPECT_EQ(reply.ids_size(), 2);
    EXPECT_EQ(reply.subscribers(), 9U);
    EXPECT_EQ(reply.lines(0).app(), "web");
    EXPECT_EQ(reply.lacking(1), "d2");
    EXPECT_EQ(reply.waited_ms(), 77);
}

TEST(NativeCodec, MarksComeBackFromTheirBytes) {
    const msg::MarkWish said = sample::mark_wish();
    const auto wish = decode_mark_request(encode(said), said.request, {});
    ASSERT_TRUE(wish.has_value()) << to_string(wish.error());
    EXPECT_EQ(*wish->service, *said.service);
    EXPECT_EQ(wish->address, said.address);
    EXPECT_EQ(wish->kind, said.kind);
    EXPECT_EQ(wish->timeout, said.timeout);
    EXPECT_EQ(wish->ramp, said.ramp);
    EXPECT_EQ(wish->asked_by, said.asked_by);
    const msg::MarkOutcome told = sample::mark_outcome();
    const auto outcome = decode_mark_reply(encode(told), told.request, {});
    ASSERT_TRUE(outcome.has_value()) << to_string(outcome.error());
    EXPECT_EQ(outcome->ids, told.ids);
    EXPECT_EQ(outcome->lines, told.lines);
    EXPECT_EQ(outcome->silent, told.silent);
    EXPECT_EQ(outcome->lacking, told.lacking);
    EXPECT_EQ(encode(*outcome), encode(told));
}

TEST(NativeCodec, RefusesMarksThatCannotBe) {
    const msg::RequestId request(1);
    EXPECT_EQ(decode_mark_request("", request, {}).error().code, Errc::invalid_argument);
    EXPECT_EQ(decode_mark_request("\x0a\x05x", request, {}).error().code, Errc::bad_content);
    EXPECT_EQ(decode_mark_reply("\x42\x05x", request, {}).error().code, Errc::bad_content);
    EXPECT_EQ(
        decode_mark_request(std::string(99, 'x'), request, {.message_bytes_max = 98}).error().code,
        Errc::too_large);
    EXPECT_EQ(
        decode_mark_reply(encode(sample::mark_outcome()), request, {.items_max = 4}).error().code,
        Errc::too_large);
    v1::MarkRequest theirs;
    theirs.mutable_service()->set_data_id("orders");
    theirs.set_timeout_ms(-1);
    const auto wish = decode_mark_request(theirs.SerializeAsString(), request, {});
    ASSERT_TRUE(wish.has_value());
    EXPECT_GT(wish->timeout, std::chrono::hours(24)) << "refused by who looks at its length";
}

TEST(NativeCodec, ReadsPublicationsInFull) {
    const auto requests = sample::requests();
    const auto decoded =
        decode_request(kRegisterClass, encode(requests[0]), kContext, CodecLimits{});
    const auto& request = std::get<msg::RegisterPublishers>(*decoded);
    EXPECT_EQ(request.lease, std::chrono::seconds(30));
    ASSERT_EQ(request.publications.size(), 2U);
    EXPECT_EQ(*request.publications[0], *sample::publication("pub-1"));
    EXPECT_EQ(*request.publications[1], *sample::publication("pub-2", -1));
    EXPECT_EQ(request.publications[0]->service, request.publications[1]->service)
        << "equal services in a row are shared";
}

TEST(NativeCodec, GivesEachPublicationItsOwnZoneAndApp) {
    msg::RegisterPublishers request{.request = msg::RequestId(1)};
    const std::vector<std::pair<std::string, std::string>> said{
        {"a", "x"}, {"a", "x"}, {"b", "x"}, {"", "y"}, {"", ""}, {"b", ""}, {"b", "y"}};
    for (const auto& [zone, app] : said) {
        auto made = *sample::publication("pub-" + std::to_string(request.publications.size()));
        made.zone = zone;
        made.app = app;
        request.publications.push_back(std::make_shared<const Publication>(std::move(made)));
    }
    const auto decoded = decode_request(kRegisterClass, encode(request), kContext, CodecLimits{});
    ASSERT_TRUE(decoded.has_value());
    const auto& read = std::get<msg::RegisterPublishers>(*decoded).publications;
    ASSERT_EQ(read.size(), said.size());
    for (std::size_t i = 0; i < said.size(); ++i) {
        EXPECT_EQ(read[i]->zone, said[i].first.empty() ? kDefaultZone : said[i].first);
        EXPECT_EQ(read[i]->app, said[i].second);
    }
}

TEST(NativeCodec, PutsTheAddressTheServerSawIntoPublications) {
    const auto bytes = encode(sample::requests()[0]);
    const auto decoded = decode_request(
        kRegisterClass, bytes, {.request = msg::RequestId(1), .client_address = "9.9.9.9:9"}, {});
    EXPECT_EQ(std::get<msg::RegisterPublishers>(*decoded).publications[0]->client_address,
              "9.9.9.9:9");
}

TEST(NativeCodec, WritesServerMessagesAsProtocDoes) {
    const auto full = encode(sample::full_push());
    EXPECT_EQ(full, through_protoc<v1::Push>(full));
    const auto delta = encode(sample::delta_push());
    EXPECT_EQ(delta, through_protoc<v1::Push>(delta));
    const auto reply = encode(sample::reply());
    EXPECT_EQ(reply, through_protoc<v1::Reply>(reply));
    const auto hint = encode(msg::ServerHint{.servers = {"a:1", "b:2"}, .move_to = "b:2"});
    EXPECT_EQ(hint, through_protoc<v1::ServerHint>(hint));
    for (const auto& value :
         {std::shared_ptr<const std::string>(), std::make_shared<const std::string>(),
          std::make_shared<const std::string>("on\xff")}) {
        const auto config = encode(msg::ConfigPush{.key = sample::service(),
                                                   .version = Version(9),
                                                   .value = value,
                                                   .watchers = {RegistId("w")}});
        EXPECT_EQ(config, through_protoc<v1::ConfigPush>(config));
        const auto decoded = decode_server_message(kConfigPushClass, config, {});
        ASSERT_TRUE(decoded.has_value());
        const auto& push = std::get<msg::ConfigPush>(*decoded);
        EXPECT_EQ(push.value == nullptr, value == nullptr);
        EXPECT_EQ(push.value != nullptr ? *push.value : "", value != nullptr ? *value : "");
    }
}

TEST(NativeCodec, FullPushComesBackFromItsBytes) {
    const auto push = sample::full_push();
    const auto decoded = decode_server_message(kPushClass, encode(push), client_codec_limits());
    ASSERT_TRUE(decoded.has_value()) << to_string(decoded.error());
    const auto& read = std::get<msg::Push>(*decoded);
    EXPECT_EQ(read.delta, nullptr);
    EXPECT_EQ(*read.view->service, *push.view->service);
    EXPECT_EQ(read.view->version, push.view->version);
    EXPECT_EQ(read.view->digest, push.view->digest);
    EXPECT_TRUE(read.view->complete);
    ASSERT_EQ(read.view->publications.size(), 3U);
    EXPECT_EQ(*read.view->publications[2], *push.view->publications[2]);
    EXPECT_EQ(read.subscribers, push.subscribers);
    EXPECT_EQ(read.scope, push.scope);
    EXPECT_EQ(read.zone, push.zone);
}

TEST(NativeCodec, DeltaPushComesBackFromItsBytes) {
    const auto push = sample::delta_push();
    const auto decoded = decode_server_message(kPushClass, encode(push), client_codec_limits());
    ASSERT_TRUE(decoded.has_value()) << to_string(decoded.error());
    const auto& read = std::get<msg::Push>(*decoded);
    ASSERT_NE(read.delta, nullptr);
    EXPECT_EQ(read.delta->from, push.delta->from);
    EXPECT_EQ(read.delta->to, push.delta->to);
    EXPECT_EQ(read.delta->removals, push.delta->removals);
    ASSERT_EQ(read.delta->upserts.size(), 1U);
    EXPECT_EQ(*read.delta->upserts[0], *push.delta->upserts[0]);
    EXPECT_EQ(read.view->digest, push.view->digest);
    EXPECT_TRUE(read.view->publications.empty());
}

TEST(NativeCodec, ReadsAPackedPushAsTheOneInIt) {
    const auto push = sample::delta_push();
    const std::string body = encode_push_body(*push.view, push.delta.get(), push.scope, push.zone);
    const std::vector<std::string_view> ids{push.subscribers[0].raw(), push.subscribers[1].raw()};
    const std::string content = pack_push_body(body) + encode_push_tail(ids);
    v1::PackedPush theirs;
    ASSERT_TRUE(theirs.ParseFromString(content));
    EXPECT_EQ(theirs.subscription_ids_size(), static_cast<int>(push.subscribers.size()));
    const auto decoded = decode_server_message(kPackedPushClass, content, client_codec_limits());
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(encode(std::get<msg::Push>(*decoded)), encode(push));

    const auto code_of = [](const std::string& bytes, const CodecLimits& limits) {
        return decode_server_message(kPackedPushClass, bytes, limits).error().code;
    };
    EXPECT_EQ(code_of("", {}), Errc::bad_content) << "nothing is in it";
    EXPECT_EQ(code_of(pack_push_body(""), {}), Errc::invalid_argument) << "no service";
    EXPECT_EQ(code_of(content, {.message_bytes_max = body.size() - 1}), Errc::too_large);
    v1::PackedPush torn = theirs;
    torn.mutable_zstd()->pop_back();
    EXPECT_EQ(code_of(torn.SerializeAsString(), {}), Errc::bad_content);
}

TEST(NativeCodec, SaysThatItTakesPackedPushes) {
    v1::SubscribeRequest request;
    EXPECT_FALSE(says_takes_packed(kSubscribeClass, request.SerializeAsString()));
    request.set_takes_packed(true);
    EXPECT_TRUE(says_takes_packed(kSubscribeClass, request.SerializeAsString()));
    EXPECT_FALSE(says_takes_packed(kRegisterClass, request.SerializeAsString()));
    EXPECT_TRUE(says_takes_packed(kSubscribeClass, encode(msg::Subscribe{})));
    EXPECT_FALSE(
        says_takes_packed(kSubscribeClass, encode(msg::Subscribe{}, {.takes_packed = false})));
}

TEST(NativeCodec, SendsTheListWhenTheDeltaIsNoShorter) {
    auto push = sample::full_push();
    push.delta = std::make_shared<const ViewDelta>(
        ViewDelta{.from = Version(1),
                  .to = push.view->version,
                  .upserts = {push.view->publications[0], push.view->publications[1]},
                  .removals = {RegistId("gone")}});
    const auto decoded = decode_server_message(kPushClass, encode(push), client_codec_limits());
    EXPECT_EQ(std::get<msg::Push>(*decoded).delta, nullptr);
}

TEST(NativeCodec, RepliesTellEachOutcomeAndFailuresOfTheWhole) {
    const auto decoded = decode_response({.request = msg::RequestId(42), .class_name = kReplyClass},
                                         encode(sample::reply()), {});
    ASSERT_TRUE(decoded.has_value());
    const auto& reply = std::get<msg::RequestReply>(*decoded);
    EXPECT_EQ(reply.request, msg::RequestId(42));
    ASSERT_EQ(reply.outcomes.size(), 2U);
    EXPECT_TRUE(reply.outcomes[0].result.has_value());
    EXPECT_EQ(reply.outcomes[1].result.error(),
              (Error{Errc::over_limit, "at most 10 registrations"}));

    const Error error{Errc::invalid_argument, "a publication has no id"};
    const auto failed =
        decode_response({.request = msg::RequestId(7), .bolt_status = 1, .class_name = kReplyClass},
                        encode_failure(error), {});
    ASSERT_TRUE(failed.has_value());
    EXPECT_EQ(std::get<RequestFailure>(*failed).error, error);

    const auto bare = decode_response({.request = msg::RequestId(7), .bolt_status = 4}, "", {});
    EXPECT_EQ(std::get<RequestFailure>(*bare).error.code, Errc::busy);
}

TEST(NativeCodec, UnknownFieldsAndCodesOfNewerPeersAreSkipped) {
    v1::Reply theirs;
    auto* outcome = theirs.add_outcomes();
    outcome->set_id("x");
    outcome->set_code("a_code_of_the_future");
    std::string bytes = theirs.SerializeAsString();
    FieldWriter writer(bytes);
    writer.varint(1000, 5);
    writer.bytes(1001, "new");
    const auto decoded =
        decode_response({.request = msg::RequestId(1), .class_name = kReplyClass}, bytes, {});
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(std::get<msg::RequestReply>(*decoded).outcomes[0].result.error().code,
              Errc::internal);
}

TEST(NativeCodec, RefusesUnknownClassesAndCutBytes) {
    EXPECT_EQ(decode_request("muster.v1.Nothing", "", kContext, {}).error().code,
              Errc::unknown_type);
    EXPECT_EQ(decode_server_message("muster.v1.Reply", "", {}).error().code, Errc::unknown_type);
    for (const auto& request : sample::requests()) {
        const std::string bytes = encode(request);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const auto decoded = decode_request(
                class_name(request), std::string_view(bytes).substr(0, size), kContext, {});
            if (!decoded) {
                EXPECT_THAT(decoded.error().code,
                            testing::AnyOf(Errc::bad_content, Errc::invalid_argument));
            }
        }
    }
}

Errc error_of_register(const v1::RegisterRequest& request, const CodecLimits& limits = {}) {
    const auto decoded =
        decode_request(kRegisterClass, request.SerializeAsString(), kContext, limits);
    return decoded ? Errc::internal : decoded.error().code;
}

TEST(NativeCodec, RefusesPublicationsThatCannotBe) {
    v1::RegisterRequest no_service;
    no_service.add_publications()->set_id("x");
    EXPECT_EQ(error_of_register(no_service), Errc::invalid_argument);

    v1::RegisterRequest blank_name;
    blank_name.add_publications()->set_id("x");
    blank_name.mutable_publications(0)->mutable_service()->set_data_id(" ");
    EXPECT_EQ(error_of_register(blank_name), Errc::invalid_argument);

    v1::RegisterRequest no_id;
    no_id.add_publications()->mutable_service()->set_data_id("d");
    EXPECT_EQ(error_of_register(no_id), Errc::invalid_argument);

    v1::RegisterRequest lease;
    lease.set_lease_ms(-1);
    EXPECT_EQ(error_of_register(lease), Errc::invalid_argument);
}

TEST(NativeCodec, RefusesWhatIsOverALimit) {
    v1::RegisterRequest request;
    auto* publication = request.add_publications();
    publication->set_id("id");
    publication->mutable_service()->set_data_id("d");
    publication->add_boxes("a");
    publication->add_boxes("b");
    publication->set_zone("zone");
    EXPECT_EQ(error_of_register(request, {.items_max = 0}), Errc::too_large);
    EXPECT_EQ(error_of_register(request, {.elements_max = 1}), Errc::too_large);
    EXPECT_EQ(error_of_register(request, {.id_bytes_max = 1}), Errc::too_large);
    EXPECT_EQ(error_of_register(request, {.name_bytes_max = 3}), Errc::too_large);
    EXPECT_EQ(error_of_register(request, {.message_bytes_max = 5}), Errc::too_large);
    EXPECT_EQ(error_of_register(request), Errc::internal) << "accepted";
}

TEST(NativeCodec, RefusesTextThatIsNotUtf8) {
    std::string bytes;
    FieldWriter writer(bytes);
    const auto mark = writer.begin(request_field::kItems, 8);
    writer.bytes(ref_field::kId, "\xff");
    writer.end(mark);
    EXPECT_EQ(decode_request(kUnregisterClass, bytes, kContext, {}).error().code,
              Errc::bad_content);
}

TEST(NativeCodec, RefusesListsThatAreNotSorted) {
    v1::Push push;
    push.mutable_service()->set_data_id("d");
    push.add_publications()->set_id("b");
    push.add_publications()->set_id("a");
    EXPECT_EQ(decode_server_message(kPushClass, push.SerializeAsString(), {}).error().code,
              Errc::bad_content);
    push.mutable_publications(1)->set_id("b");
    EXPECT_EQ(decode_server_message(kPushClass, push.SerializeAsString(), {}).error().code,
              Errc::bad_content);
}

}  // namespace
}  // namespace muster::native
