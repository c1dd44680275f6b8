#pragma once

#include <optional>
#include <string>

#include "doors/http/op.h"

namespace muster::http {

// GET /api/v1/services: asks the data servers through the session.
class ServicesOp final : public Op {
public:
    explicit ServicesOp(msg::ListServices query) : query_(std::move(query)) {}

    void start(OpHost& host) override;
    void on_services(OpHost& host, std::uint64_t token,
                     const msg::ListServicesReply& reply) override;
    void on_deadline(OpHost& host) override;

private:
    msg::ListServices query_;
    std::uint64_t token_ = 0;
};

// GET /api/v1/config/...: watches the value until it is told.
class ConfigGetOp final : public Op {
public:
    ConfigGetOp(ServicePtr key, Duration known_within)
        : key_(std::move(key)), known_within_(known_within) {}

    void start(OpHost& host) override;
    void on_reply(OpHost& host, const msg::RequestReply& reply) override;
    void on_config(OpHost& host, const msg::ConfigPush& push) override;
    void on_deadline(OpHost& host) override;
    void stop(OpHost& host) override;

private:
    ServicePtr key_;
    Duration known_within_;
    RegistId id_;
    msg::RequestId request_;
};

// PUT and DELETE /api/v1/config/....
class ConfigPutOp final : public Op {
public:
    // `value` none: removes it.
    ConfigPutOp(ServicePtr key, std::optional<std::string> value)
        : key_(std::move(key)), value_(std::move(value)) {}

    void start(OpHost& host) override;
    void on_config_put(OpHost& host, std::uint64_t token, const Result<Version>& result) override;
    void on_deadline(OpHost& host) override;

private:
    ServicePtr key_;
    std::optional<std::string> value_;
    std::uint64_t token_ = 0;
};

}  // namespace muster::http
